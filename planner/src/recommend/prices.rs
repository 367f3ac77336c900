//! What GPUs cost an hour by instance type: facts with the place and the day they were read. A user's own price goes first.
use super::Price;
use crate::text::milli_text;

/// One type of instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listed {
    /// As its cloud names it.
    pub instance: &'static str,
    /// The catalogue's GPU.
    pub gpu: &'static str,
    /// Of one GPU for an hour on demand, in thousandths of a US dollar.
    pub milli: u64,
    /// Cloud and place.
    pub of: &'static str,
    /// Where that was read, and when.
    pub source: &'static str,
}

const RECEIPTS: &str = "datareceipts/data-receipts, 109-gpu-pricing, read there 2026-11-09";
const LAMBDA: &str = "api-evangelist/lambda-labs, read at lambda.ai/instances 2026-09-20";
const GCP: &str = "tgarg01/silybench-data, gpu_prices.csv, read at Google's billing catalogue 2026-09-26";

/// Of one place and source: instance, GPU, thousandths of a US dollar.
type Rows = &'static [(&'static str, &'static str, u64)];

/// All, rounded to a tenth of a cent, by cloud and place, with their source.
const LISTED: &[(&str, &str, Rows)] = &[
    (
        "AWS us-east-1",
        RECEIPTS,
        &[
            ("p4d.24xlarge", "A100 SXM4 40GB", 2745),
            ("p4de.24xlarge", "A100 SXM4 80GB", 3431),
            ("p5.48xlarge", "H100 SXM", 6880),
        ],
    ),
    (
        "Azure eastus",
        RECEIPTS,
        &[
            ("Standard_ND96asr_A100_v4", "A100 SXM4 40GB", 3400),
            ("Standard_NC24ads_A100_v4", "A100 PCIe 80GB", 3673),
            ("Standard_NC40ads_H100_v5", "H100 NVL", 6980),
        ],
    ),
    (
        "Azure",
        RECEIPTS,
        &[("Standard_ND96isr_H100_v5", "H100 SXM", 12_290)],
    ),
    (
        "Google us-central1",
        GCP,
        &[("a3-highgpu-1g", "H100 SXM", 10_979)],
    ),
    (
        "Lambda",
        LAMBDA,
        &[
            ("lambda-8x-b200", "B200 SXM", 6690),
            ("lambda-8x-h100-sxm", "H100 SXM", 3990),
            ("lambda-8x-a100-80gb-sxm", "A100 SXM4 80GB", 2790),
            ("lambda-8x-a100-40gb-sxm", "A100 SXM4 40GB", 1990),
        ],
    ),
    (
        "RunPod Secure Cloud",
        RECEIPTS,
        &[
            ("runpod-secure-h100-sxm", "H100 SXM", 3990),
            ("runpod-secure-h100-pcie", "H100 PCIe", 2890),
            ("runpod-secure-h100-nvl", "H100 NVL", 3190),
            ("runpod-secure-a100-pcie", "A100 PCIe 80GB", 1790),
            ("runpod-secure-a100-sxm", "A100 SXM4 80GB", 1790),
        ],
    ),
];

/// All of them.
pub fn listed() -> impl Iterator<Item = Listed> {
    LISTED.iter().flat_map(|(of, source, rows)| {
        rows.iter().map(move |(instance, gpu, milli)| Listed {
            instance,
            gpu,
            milli: *milli,
            of,
            source,
        })
    })
}

/// Those that a text of `--price` names: one instance, or with `known` the cheapest of each kind of GPU.
pub fn priced(text: &str) -> Vec<Listed> {
    let cheapest = |one: &Listed| listed().all(|other| other.gpu != one.gpu || other.milli >= one.milli);
    listed()
        .filter(|one| one.instance == text || (text == "known" && cheapest(one)))
        .collect()
}

impl Listed {
    /// Instance, place and source in words.
    pub fn words(&self) -> String {
        format!("{} of {} on demand ({})", self.instance, self.of, self.source)
    }

    /// US dollars of one GPU for an hour.
    pub fn amount(&self) -> String {
        milli_text(self.milli)
    }

    /// The same to count with.
    pub fn price(&self) -> Price {
        Price(self.milli)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_listed_gpu_is_in_the_catalogue_and_every_name_is_of_one() {
        for one in listed() {
            assert_eq!(
                crate::gpu::find(one.gpu).map(|gpu| gpu.name.as_str()),
                Some(one.gpu)
            );
            assert_eq!(priced(one.instance).len(), 1, "{}", one.instance);
        }
        let known = priced("known");
        let h100: Vec<&str> = known
            .iter()
            .filter(|one| one.gpu == "H100 SXM")
            .map(|one| one.instance)
            .collect();
        assert_eq!(h100, ["lambda-8x-h100-sxm", "runpod-secure-h100-sxm"]);
        assert!(priced("p6").is_empty());
    }
}
