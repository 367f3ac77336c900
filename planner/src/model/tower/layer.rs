//! A linear layer of a tower, and whether the checkpoint's quantisation reaches it.
use super::{Cut, TowerLinear, TowerTensor, kinds::Covered, read::Reader};
use crate::model::{ConfigError, LinearScheme, Quantization};

impl Reader<'_> {
    /// The quantisation as far as the class hands it to this kind of tower.
    pub(super) fn reached(&self) -> Option<&Quantization> {
        let quantization = self.spec.quantization.as_ref();
        let compressed = quantization.is_some_and(|q| q.method == "compressed-tensors");
        let in_64 = self.width.is_multiple_of(64) && self.mlp.is_multiple_of(64);
        quantization.filter(|_| match self.row.covered {
            Covered::All | Covered::Blocks | Covered::In64 => true,
            Covered::TowerIn64 => in_64 || compressed,
            Covered::NotCompressed => !compressed,
            Covered::None => false,
        })
    }

    /// Whether the class lets the layer of that name be quantised.
    fn quantizable(&self, name: &str, connector: bool) -> bool {
        let in_64 = self.width.is_multiple_of(64) && self.mlp.is_multiple_of(64);
        match self.row.covered {
            Covered::All | Covered::NotCompressed => true,
            Covered::Blocks => !connector,
            Covered::In64 => in_64 || !name.contains("mlp."),
            Covered::TowerIn64 => in_64,
            Covered::None => false,
        }
    }

    pub(super) fn linear(
        &self,
        name: &str,
        inputs: u32,
        outputs: u32,
        shards: u32,
        cut: Cut,
        bias: bool,
    ) -> Result<TowerLinear, ConfigError> {
        self.layer(name, false, inputs, outputs, shards, cut, bias)
    }

    /// A layer of the projector.
    pub(super) fn projection(
        &self,
        name: &str,
        inputs: u32,
        outputs: u32,
        cut: Cut,
        bias: bool,
    ) -> Result<TowerTensor, ConfigError> {
        self.layer(name, true, inputs, outputs, 1, cut, bias)
            .map(TowerTensor::Linear)
    }

    #[expect(clippy::too_many_arguments, reason = "the shape of one layer, in one place")]
    fn layer(
        &self,
        name: &str,
        connector: bool,
        inputs: u32,
        outputs: u32,
        shards: u32,
        cut: Cut,
        bias: bool,
    ) -> Result<TowerLinear, ConfigError> {
        let roots = if connector {
            self.row.connector_roots
        } else {
            self.row.roots
        };
        let quantizable = self.quantizable(name, connector);
        let named = |root: &&str| match *root {
            "" => name.to_owned(),
            root => format!("{root}.{name}"),
        };
        let ignored = |q: &Quantization| roots.iter().any(|root| q.ignores(&named(root)));
        // Where the file lists what is quantised, the rest is not.
        let scheme = |q: &Quantization| roots.iter().find_map(|root| q.scheme_of(&named(root)));
        let reached = self.reached().filter(|q| quantizable && !ignored(q));
        let quantized = match reached.and_then(|q| Some((scheme(q)?, q.method))) {
            // AWQ and GPTQ name what they quantise by the files, which a config does not show; no tower is known to be.
            None
            | Some((LinearScheme::PackedInt { .. }, "auto_awq" | "auto_gptq") | (LinearScheme::Mxfp4, _)) => {
                false
            }
            Some((LinearScheme::Fp8PerTensor { .. } | LinearScheme::PerChannel8 { .. }, _)) => true,
            Some(_) => {
                return Err(ConfigError::unsupported(format!(
                    "the checkpoint's quantisation reaches `{name}` of the tower, which is not modelled yet"
                )));
            }
        };
        Ok(TowerLinear {
            inputs,
            outputs,
            shards,
            keys: None,
            cut,
            bias,
            attention: false,
            quantizable,
            quantized,
        })
    }
}
