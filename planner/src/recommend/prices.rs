//! What GPUs cost an hour by instance type: facts with the place and the day they were read. A user's own price goes first.

/// One type of instance.
pub(crate) struct Listed {
    /// As its cloud names it.
    pub(crate) instance: &'static str,
    /// The catalogue's GPU.
    pub(crate) gpu: &'static str,
    /// Of one GPU for an hour on demand, in thousandths of a US dollar.
    pub(crate) milli: u64,
    /// Cloud and place.
    pub(crate) of: &'static str,
    /// Where that was read, and when.
    pub(crate) source: &'static str,
}

const RECEIPTS: &str = "datareceipts/data-receipts, 109-gpu-pricing, read there 2026-11-09";
const LAMBDA: &str = "api-evangelist/lambda-labs, read at lambda.ai/instances 2026-09-20";
const GCP: &str = "tgarg01/silybench-data, gpu_prices.csv, read at Google's billing catalogue 2026-09-26";

const fn listed(
    instance: &'static str,
    gpu: &'static str,
    milli: u64,
    of: &'static str,
    source: &'static str,
) -> Listed {
    Listed {
        instance,
        gpu,
        milli,
        of,
        source,
    }
}

/// All, rounded to a tenth of a cent.
pub(crate) const LISTED: &[Listed] = &[
    listed("p4d.24xlarge", "A100 SXM4 40GB", 2745, "AWS us-east-1", RECEIPTS),
    listed("p4de.24xlarge", "A100 SXM4 80GB", 3431, "AWS us-east-1", RECEIPTS),
    listed("p5.48xlarge", "H100 SXM", 6880, "AWS us-east-1", RECEIPTS),
    listed(
        "Standard_ND96asr_A100_v4",
        "A100 SXM4 40GB",
        3400,
        "Azure eastus",
        RECEIPTS,
    ),
    listed(
        "Standard_NC24ads_A100_v4",
        "A100 PCIe 80GB",
        3673,
        "Azure eastus",
        RECEIPTS,
    ),
    listed(
        "Standard_NC40ads_H100_v5",
        "H100 NVL",
        6980,
        "Azure eastus",
        RECEIPTS,
    ),
    listed("Standard_ND96isr_H100_v5", "H100 SXM", 12_290, "Azure", RECEIPTS),
    listed("a3-highgpu-1g", "H100 SXM", 10_979, "Google us-central1", GCP),
    listed("lambda-8x-b200", "B200 SXM", 6690, "Lambda", LAMBDA),
    listed("lambda-8x-h100-sxm", "H100 SXM", 3990, "Lambda", LAMBDA),
    listed(
        "lambda-8x-a100-80gb-sxm",
        "A100 SXM4 80GB",
        2790,
        "Lambda",
        LAMBDA,
    ),
    listed(
        "lambda-8x-a100-40gb-sxm",
        "A100 SXM4 40GB",
        1990,
        "Lambda",
        LAMBDA,
    ),
    listed(
        "runpod-secure-h100-sxm",
        "H100 SXM",
        3990,
        "RunPod Secure Cloud",
        RECEIPTS,
    ),
    listed(
        "runpod-secure-h100-pcie",
        "H100 PCIe",
        2890,
        "RunPod Secure Cloud",
        RECEIPTS,
    ),
    listed(
        "runpod-secure-h100-nvl",
        "H100 NVL",
        3190,
        "RunPod Secure Cloud",
        RECEIPTS,
    ),
    listed(
        "runpod-secure-a100-pcie",
        "A100 PCIe 80GB",
        1790,
        "RunPod Secure Cloud",
        RECEIPTS,
    ),
    listed(
        "runpod-secure-a100-sxm",
        "A100 SXM4 80GB",
        1790,
        "RunPod Secure Cloud",
        RECEIPTS,
    ),
];

/// Those that a text of `--price` names: one instance, or with `known` the cheapest of each kind of GPU.
pub(crate) fn named(text: &str) -> Vec<&'static Listed> {
    let cheapest = |one: &&Listed| {
        LISTED
            .iter()
            .all(|other| other.gpu != one.gpu || other.milli >= one.milli)
    };
    LISTED
        .iter()
        .filter(|one| one.instance == text || (text == "known" && cheapest(one)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_listed_gpu_is_in_the_catalogue_and_every_name_is_of_one() {
        for one in LISTED {
            assert_eq!(
                planner::gpu::find(one.gpu).map(|gpu| gpu.name.as_str()),
                Some(one.gpu)
            );
            assert_eq!(named(one.instance).len(), 1, "{}", one.instance);
        }
        let known = named("known");
        let h100: Vec<&str> = known
            .iter()
            .filter(|one| one.gpu == "H100 SXM")
            .map(|one| one.instance)
            .collect();
        assert_eq!(h100, ["lambda-8x-h100-sxm", "runpod-secure-h100-sxm"]);
        assert!(named("p6").is_empty());
    }
}
