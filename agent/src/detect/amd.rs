//! AMD GPUs by the files of the amdgpu driver: sysfs for memory, link and power, KFD for the architecture and what joins
//! the GPUs. No library and no root is needed.
use super::{
    answers::{Answers, Device, Driver, Failure, Memory, Way},
    explain::AMD,
    machine::Machine,
};

const CARDS: &str = "/sys/class/drm";
const NODES: &str = "/sys/class/kfd/kfd/topology/nodes";
/// Names of cards by device and revision: libdrm's list.
const NAMES: &[&str] = &[
    "/usr/share/libdrm/amdgpu.ids",
    "/opt/amdgpu/share/libdrm/amdgpu.ids",
];
/// A link over Infinity Fabric (`HSA_IOLINKTYPE_XGMI`), and one over PCIe.
const LINK_XGMI: u64 = 11;
const LINK_PCIE: u64 = 2;

/// The files below `/sys`.
#[derive(Debug)]
pub(super) struct Amdgpu<'a> {
    pub(super) machine: &'a Machine,
}

impl Driver for Amdgpu<'_> {
    fn answers(&self) -> Result<Answers, Failure> {
        let nodes = self.nodes();
        let cards: Vec<(Device, Option<Node>)> = self
            .machine
            .names(CARDS)
            .iter()
            .filter(|name| is_card(name))
            .filter_map(|name| self.card(name, &nodes))
            .collect();
        if cards.is_empty() {
            return Err(Failure::NotInstalled);
        }
        // A display's GPU beside real ones has no compute node.
        let computes = cards.iter().any(|(_, node)| node.is_some());
        let mut cards: Vec<_> = cards
            .into_iter()
            .filter(|(_, node)| node.is_some() || !computes)
            .collect();
        for (index, (device, _)) in (0..).zip(&mut cards) {
            device.index = index;
        }
        let mut answers = Answers {
            driver_version: self.machine.text("/sys/module/amdgpu/version"),
            ways: ways(&cards),
            devices: cards.into_iter().map(|(device, _)| device).collect(),
            ..Answers::default()
        };
        if !computes {
            answers.notes.push(
                "The kernel's compute driver lists no AMD GPU (/sys/class/kfd): in a container, give it /dev/kfd."
                    .to_owned(),
            );
        }
        Ok(answers)
    }
}

/// What KFD says of a GPU.
#[derive(Clone, Debug, Default)]
struct Node {
    id: u64,
    minor: u64,
    architecture: Option<String>,
    /// Node and kind of link.
    links: Vec<(u64, u64)>,
}

/// `card0`, not `card0-DP-1` nor `renderD128`.
fn is_card(name: &str) -> bool {
    name.strip_prefix("card")
        .is_some_and(|number| !number.is_empty() && number.chars().all(|c| c.is_ascii_digit()))
}

impl Amdgpu<'_> {
    fn card(&self, name: &str, nodes: &[Node]) -> Option<(Device, Option<Node>)> {
        let at = |file: &str| format!("{CARDS}/{name}/device/{file}");
        if self.machine.text(&at("vendor"))? != AMD {
            return None;
        }
        let total = self.machine.number(&at("mem_info_vram_total"))?;
        let minor = self.render_minor(&at("drm"));
        let node = nodes.iter().find(|node| Some(node.minor) == minor).cloned();
        let joined = node
            .iter()
            .flat_map(|node| &node.links)
            .filter(|(_, kind)| *kind == LINK_XGMI)
            .count();
        let device = Device {
            name: self.name(&at("")),
            uuid: self.machine.text(&at("unique_id")).map(|id| format!("GPU-{id}")),
            memory: Some(Memory {
                total,
                used: self.machine.number(&at("mem_info_vram_used")).unwrap_or(0),
                reserved: None,
            }),
            architecture: node.as_ref().and_then(|node| node.architecture.clone()),
            pcie: self.pcie(&at("")),
            links: u32::try_from(joined).unwrap_or(0),
            power_limit_w: self.power(&at("hwmon")),
            ..Device::default()
        };
        Some((device, node))
    }

    /// 128 of `renderD128`, which KFD knows too.
    fn render_minor(&self, folder: &str) -> Option<u64> {
        let names = self.machine.names(folder);
        names
            .iter()
            .find_map(|name| name.strip_prefix("renderD")?.parse().ok())
    }

    /// As the board says it, else libdrm's list, else by its number.
    fn name(&self, folder: &str) -> String {
        let id = |file: &str| {
            let text = self.machine.text(&format!("{folder}{file}"))?;
            Some(text.trim_start_matches("0x").to_ascii_uppercase())
        };
        let device = id("device").unwrap_or_default();
        let listed = id("revision").and_then(|revision| {
            let texts = NAMES.iter().filter_map(|path| self.machine.long_text(path));
            texts
                .into_iter()
                .find_map(|text| listed_name(&text, &device, &revision))
        });
        self.machine
            .text(&format!("{folder}product_name"))
            .filter(|name| !name.is_empty())
            .or(listed)
            .map_or_else(
                || format!("AMD GPU 0x{}", device.to_ascii_lowercase()),
                with_maker,
            )
    }

    /// Generation by its speed: 2.5 GT/s is the first, each next doubles, but for the step from 5 to 8.
    fn pcie(&self, folder: &str) -> Option<(u32, u32)> {
        let speed = self.machine.text(&format!("{folder}max_link_speed"))?;
        let generation = match speed.split('.').next()? {
            "2" => 1,
            "5" => 2,
            "8" => 3,
            "16" => 4,
            "32" => 5,
            "64" => 6,
            _ => return None,
        };
        let width = self.machine.number(&format!("{folder}max_link_width"))?;
        Some((generation, u32::try_from(width).ok()?))
    }

    fn power(&self, folder: &str) -> Option<u32> {
        let sensor = self.machine.names(folder).into_iter().next()?;
        let microwatts = self.machine.number(&format!("{folder}/{sensor}/power1_cap"))?;
        u32::try_from(microwatts / 1_000_000).ok()
    }

    fn nodes(&self) -> Vec<Node> {
        let names = self.machine.names(NODES);
        names.iter().filter_map(|name| self.node(name)).collect()
    }

    /// `None` for a processor, which is a node too.
    fn node(&self, name: &str) -> Option<Node> {
        let text = self.machine.text(&format!("{NODES}/{name}/properties"))?;
        let version = property(&text, "gfx_target_version").filter(|version| *version > 0)?;
        let links = format!("{NODES}/{name}/io_links");
        let link = |link: String| {
            let text = self.machine.text(&format!("{links}/{link}/properties"))?;
            Some((property(&text, "node_to")?, property(&text, "type")?))
        };
        Some(Node {
            id: name.parse().ok()?,
            minor: property(&text, "drm_render_minor")?,
            architecture: Some(architecture(version)),
            links: self.machine.names(&links).into_iter().filter_map(link).collect(),
        })
    }
}

fn property(text: &str, name: &str) -> Option<u64> {
    let line = text
        .lines()
        .find_map(|line| line.trim().strip_prefix(name)?.strip_prefix(' '))?;
    line.trim().parse().ok()
}

/// 90402 is gfx942, 110000 gfx1100, 90010 gfx90a: two digits each for minor and step, which is hexadecimal in the name.
fn architecture(version: u64) -> String {
    let (major, minor, step) = (version / 10_000, version / 100 % 100, version % 100);
    format!("gfx{major}{minor:x}{step:x}")
}

/// Device, revision and name, between commas, in a line of libdrm's list.
fn listed_name(text: &str, device: &str, revision: &str) -> Option<String> {
    text.lines().find_map(|line| {
        let mut cells = line.splitn(3, ',').map(str::trim);
        let is_it =
            cells.next()?.eq_ignore_ascii_case(device) && cells.next()?.eq_ignore_ascii_case(revision);
        is_it.then(|| cells.next().map(str::to_owned))?
    })
}

#[expect(clippy::needless_pass_by_value, reason = "for map")]
fn with_maker(name: String) -> String {
    // The form of the board, which says nothing of the GPU.
    let name = name.trim_end_matches(" OAM");
    if name.starts_with("AMD ") {
        name.to_owned()
    } else {
        format!("AMD {name}")
    }
}

fn ways(cards: &[(Device, Option<Node>)]) -> Vec<Vec<Way>> {
    let way = |a: usize, b: usize| {
        let node = |place: usize| cards.get(place).and_then(|(_, node)| node.as_ref());
        match (node(a), node(b)) {
            _ if a == b => Way::Own,
            (Some(a), Some(b)) => {
                let kind = a.links.iter().find(|(to, _)| *to == b.id).map(|(_, kind)| *kind);
                match kind {
                    Some(LINK_XGMI) => Way::Xgmi,
                    Some(LINK_PCIE) => Way::Node,
                    _ => Way::Sys,
                }
            }
            _ => Way::Unknown,
        }
    };
    (0..cards.len())
        .map(|a| (0..cards.len()).map(|b| way(a, b)).collect())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::{
        assemble,
        machine::{Machine, file},
    };
    use planner::host_report::to_hardware;
    use std::{fs, path::Path};

    fn card(root: &Path, number: u32, product: Option<&str>, total: u64) {
        let at = format!("sys/class/drm/card{number}/device");
        for (name, text) in [
            ("vendor", "0x1002\n".to_owned()),
            ("device", "0x74a1\n".to_owned()),
            ("revision", "0x00\n".to_owned()),
            ("unique_id", format!("c0ffee{number}\n")),
            ("mem_info_vram_total", format!("{total}\n")),
            ("mem_info_vram_used", "297472000\n".to_owned()),
            ("max_link_speed", "32.0 GT/s PCIe\n".to_owned()),
            ("max_link_width", "16\n".to_owned()),
            ("hwmon/hwmon5/power1_cap", "750000000\n".to_owned()),
        ] {
            file(root, &format!("{at}/{name}"), &text);
        }
        file(root, &format!("{at}/drm/renderD{}/dev", 128 + number), "");
        file(root, &format!("sys/class/drm/card{number}-DP-1/status"), "");
        if let Some(product) = product {
            file(root, &format!("{at}/product_name"), product);
        }
    }

    fn node(root: &Path, id: u64, card: u32, version: u64, peer: Option<u64>) {
        let at = format!("sys/class/kfd/kfd/topology/nodes/{id}");
        let text = format!(
            "cpu_cores_count 0\nsimd_count 1216\ngfx_target_version {version}\ndrm_render_minor {}\n",
            128 + card
        );
        file(root, &format!("{at}/properties"), &text);
        if let Some(peer) = peer {
            file(
                root,
                &format!("{at}/io_links/1/properties"),
                &format!("type 11\nnode_from {id}\nnode_to {peer}\n"),
            );
        }
    }

    #[test]
    fn two_mi300x_joined_by_infinity_fabric() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for (card_number, peer) in [(0, 3), (1, 2)] {
            card(
                root,
                card_number,
                Some("AMD Instinct MI300X OAM\n"),
                206_141_652_992,
            );
            node(root, u64::from(card_number) + 2, card_number, 90_402, Some(peer));
        }
        file(
            root,
            "sys/class/kfd/kfd/topology/nodes/0/properties",
            "cpu_cores_count 96\ngfx_target_version 0\n",
        );
        file(root, "sys/module/amdgpu/version", "6.14.14\n");
        let machine = Machine::made_up(root, &[]);
        let answers = Amdgpu { machine: &machine }.answers().unwrap();
        let report = assemble::report(&answers, &machine);
        assert_eq!(report.driver_version.as_deref(), Some("6.14.14"));
        assert_eq!(report.gpus.len(), 2);
        let gpu = &report.gpus[1];
        assert_eq!(gpu.compute_capability.as_deref(), Some("gfx942"));
        assert_eq!(
            (gpu.power_limit_w, gpu.memory_used_bytes),
            (Some(750), 297_472_000)
        );
        assert_eq!(gpu.pcie.map(|pcie| (pcie.r#gen, pcie.width)), Some((5, 16)));
        assert_eq!(report.topology[0], ["SELF", "XGMI"]);
        let found = to_hardware(&report).unwrap();
        assert_eq!((found.gpu.name.as_str(), found.gpus), ("MI300X", 2));
        assert!(!serde_json::to_string(&report).unwrap().contains("c0ffee"));
    }

    #[test]
    fn a_card_without_a_product_name_is_looked_up_and_a_display_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        card(root, 0, None, 512 << 20);
        card(root, 1, None, 25_753_026_560);
        node(root, 1, 1, 110_000, None);
        file(
            root,
            "usr/share/libdrm/amdgpu.ids",
            "# list\n1.0.0\n74A1,\t00,\tAMD Radeon RX 7900 XTX\n",
        );
        let machine = Machine::made_up(root, &[]);
        let answers = Amdgpu { machine: &machine }.answers().unwrap();
        assert_eq!(answers.devices.len(), 1);
        assert_eq!(answers.devices[0].name, "AMD Radeon RX 7900 XTX");
        assert_eq!(answers.devices[0].architecture.as_deref(), Some("gfx1100"));
        fs::remove_file(root.join("usr/share/libdrm/amdgpu.ids")).unwrap();
        let answers = Amdgpu { machine: &machine }.answers().unwrap();
        assert_eq!(answers.devices[0].name, "AMD GPU 0x74a1");
        let report = assemble::report(&answers, &machine);
        let found = to_hardware(&report).unwrap();
        // Not in the catalogue: a process sees the whole memory of an AMD GPU.
        assert_eq!(found.gpu.memory_visible.unwrap().get(), 25_753_026_560);
        assert_eq!(found.gpu.vendor, planner::gpu::Vendor::Amd);
    }

    #[test]
    fn without_cards_there_is_no_driver() {
        let folder = tempfile::tempdir().unwrap();
        let machine = Machine::made_up(folder.path(), &[]);
        assert_eq!(Amdgpu { machine: &machine }.answers(), Err(Failure::NotInstalled));
    }

    #[test]
    fn architectures_are_named_as_compilers_do() {
        for (version, name) in [
            (90_402, "gfx942"),
            (90_010, "gfx90a"),
            (90_500, "gfx950"),
            (110_000, "gfx1100"),
            (110_501, "gfx1151"),
            (120_001, "gfx1201"),
        ] {
            assert_eq!(architecture(version), name);
        }
    }
}
