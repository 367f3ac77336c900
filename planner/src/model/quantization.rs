//! `quantization_config`: the method, the layout of a quantised linear layer, and which modules are left out.
//!
//! Mirrors `vllm/config/model.py: _verify_quantization` and the layouts of
//! `vllm/model_executor/layers/quantization/{fp8,auto_awq,auto_gptq}.py` and `compressed_tensors/` at 0.33.0.
use super::{ConfigError, family::Experts, fields::Fields, mixed::Mixed, pattern::Pattern, quark};
use serde_json::{Map, Value};

/// How a linear layer is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LinearScheme {
    /// 8-bit float, one scale per fused shard.
    Fp8PerTensor {
        /// With a scale for the input as well.
        static_activation: bool,
    },
    /// 8-bit float, one float32 scale per block of `n` rows and `k` columns.
    Fp8Block {
        /// Output rows of a block.
        n: u32,
        /// Input columns of a block.
        k: u32,
    },
    /// 8 bits, float or integer, one float32 scale per output row (compressed-tensors).
    PerChannel8 {
        /// With a scale for the input as well.
        static_activation: bool,
        /// Float rather than integer.
        float: bool,
    },
    /// 4-bit floats with one 8-bit float per 16 and a float32 scale per shard for weight and input.
    Nvfp4,
    /// The same for the weight alone: always through Marlin (ModelOpt's W4A16_NVFP4).
    Nvfp4Weights,
    /// 8-bit floats with one 8-bit exponent per 32.
    Mxfp8,
    /// 4-bit floats with one 8-bit exponent per 32: routed experts (gpt-oss), or every linear layer (quark).
    Mxfp4,
    /// Halves of bytes with a float32 scale per 64 and a table of 16 per shard (bitsandbytes).
    Nf4 {
        /// The scales stay bytes with scales of their own.
        nested: bool,
    },
    /// Packed integers of 4 or 8 bits with 16-bit scales per group.
    PackedInt {
        /// 4 or 8.
        bits: u32,
        /// Input columns that share a scale; `None` is all.
        group_size: Option<u32>,
        /// With stored zero points.
        zero_points: bool,
        /// Columns in the order of their activations.
        desc_act: bool,
        /// Compressed-tensors' own small tensors beside it.
        compressed_tensors: bool,
    },
}

/// How a checkpoint is quantised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quantization {
    /// vLLM's name of the method.
    pub method: &'static str,
    /// Layout of the quantised linear layers.
    pub scheme: LinearScheme,
    /// The output layer is quantised too.
    pub lm_head: bool,
    /// The smallest compute capability that vLLM accepts, as 80 for 8.0.
    pub min_capability: u16,
    /// `kv_cache_dtype auto` becomes fp8 because the checkpoint says so.
    pub fp8_kv_cache: bool,
    /// Layout of the routed experts where it is another one.
    pub experts: Option<LinearScheme>,
    /// Scales of blocks are stored as 8-bit exponents and widened for the kernel.
    pub exponent_scales: bool,
    /// Modules that are left out.
    ignore: Vec<Module>,
    /// Which module has which scheme, where they are not all of the one above.
    mixed: Option<Mixed>,
}

/// One or more modules, by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Module {
    /// The whole name, or the last part of it.
    Name(String),
    /// With `*` for any text.
    Wildcard(Vec<String>),
    /// A regular expression from the start of the name.
    Pattern(Pattern),
}

/// As vLLM keeps it since 0.9.
const NF4: LinearScheme = LinearScheme::Nf4 { nested: false };

impl Quantization {
    /// Whether weights in this layout were held against what vLLM's own classes allocate: those of tests/oracle.
    pub fn held_against_classes(&self) -> bool {
        use LinearScheme as L;
        match self.method {
            "fp8" | "fp8_per_tensor" | "deepseek_v4_fp8" | "gpt_oss_mxfp4" | "mxfp4" | "modelopt_fp4"
            | "modelopt_mixed" => true,
            "compressed-tensors" => match self.scheme {
                L::Fp8Block { .. } | L::PerChannel8 { float: true, .. } => true,
                L::PackedInt {
                    bits,
                    zero_points,
                    desc_act,
                    ..
                } => bits == 4 && !zero_points && !desc_act,
                _ => false,
            },
            _ => false,
        }
    }

    /// What `--quantization` with that name makes of a checkpoint that is not quantised
    /// (`layers/quantization/online/base.py`, `experts_int8.py` and, up to 0.27, `bitsandbytes.py`).
    pub fn online(method: &str) -> Option<Self> {
        let int8 = LinearScheme::PerChannel8 {
            static_activation: false,
            float: false,
        };
        Some(match method {
            "fp8" | "fp8_per_tensor" => Self::online_fp8(),
            "fp8_per_block" => Self::plain("fp8_per_block", LinearScheme::Fp8Block { n: 128, k: 128 }, 75),
            "fp8_per_channel" => {
                let scheme = LinearScheme::PerChannel8 {
                    static_activation: false,
                    float: true,
                };
                Self::plain("fp8_per_channel", scheme, 75)
            }
            "mxfp8" => Self::plain("mxfp8", LinearScheme::Mxfp8, 75),
            "int8_per_channel_weight_only" => Self::plain("int8_per_channel_weight_only", int8, 75),
            "experts_int8" => Self::plain("experts_int8", int8, 80),
            "bitsandbytes" => Self::plain("bitsandbytes", NF4, 70),
            _ => return None,
        })
    }

    /// The weights are made on the GPU from those of the checkpoint, layer by layer (`layers/quantization/online/`).
    pub fn from_16_bits(&self) -> bool {
        matches!(
            self.method,
            "fp8_per_tensor" | "fp8_per_block" | "fp8_per_channel" | "mxfp8" | "int8_per_channel_weight_only"
        )
    }

    /// Linear layers stay as they are.
    pub(super) fn of_experts_alone(&self) -> bool {
        matches!(self.method, "int8_per_channel_weight_only" | "experts_int8")
    }

    /// `--quantization fp8_per_tensor` on a checkpoint that is not quantised.
    pub fn online_fp8() -> Self {
        let scheme = LinearScheme::Fp8PerTensor {
            static_activation: false,
        };
        Self::plain("fp8_per_tensor", scheme, 75)
    }

    /// As most are: one layout, no output layer, everything quantised.
    const fn plain(method: &'static str, scheme: LinearScheme, min_capability: u16) -> Self {
        Self {
            method,
            scheme,
            lm_head: false,
            min_capability,
            fp8_kv_cache: false,
            experts: None,
            exponent_scales: false,
            ignore: Vec::new(),
            mixed: None,
        }
    }

    /// One scheme for all linear layers but the ignored ones; the output layer stays as it is.
    pub(super) fn uniform(
        method: &'static str,
        scheme: LinearScheme,
        min_capability: u16,
        ignore: Vec<Module>,
    ) -> Self {
        Self {
            ignore,
            ..Self::plain(method, scheme, min_capability)
        }
    }

    /// Whether the module of that name stays as it is.
    pub(super) fn ignores(&self, module: &str) -> bool {
        self.ignore.iter().any(|ignore| ignore.matches(module))
    }

    /// With what is left out below `from` left out below `to` as well: the class has other names than the checkpoint.
    pub(super) fn renamed(&self, from: &str, to: &str) -> Self {
        let renamed = |text: &str| text.strip_prefix(from).map(|rest| format!("{to}{rest}"));
        let own = |module: &Module| match module {
            Module::Name(name) => renamed(name).map(Module::Name),
            Module::Wildcard(parts) => {
                let (first, rest) = parts.split_first()?;
                let first = renamed(first)?;
                Some(Module::Wildcard([&[first], rest].concat()))
            }
            Module::Pattern(_) => None,
        };
        let mut all = self.clone();
        all.ignore.extend(self.ignore.iter().filter_map(own));
        all
    }

    /// Whether everything that a class hands it to is quantised, and alike: what is left out are modules of these names
    /// alone, which are none of a layer's projections.
    pub(super) fn reaches_all(&self) -> bool {
        const OTHERS: &[&str] = &["lm_head", "embed_tokens", "router", "classifier", "gate", "norm"];
        let other = |module: &Module| match module {
            Module::Name(name) => OTHERS.contains(&name.rsplit('.').next().unwrap_or_default()),
            _ => false,
        };
        self.mixed.is_none() && self.ignore.iter().all(other)
    }

    /// The scheme of that module, leaving aside whether it is ignored.
    pub(super) fn scheme_of(&self, module: &str) -> Option<LinearScheme> {
        match &self.mixed {
            None => Some(self.scheme),
            Some(mixed) => mixed.scheme(module),
        }
    }

    /// The scheme that these parts of a layer share where it is not the main one.
    pub(super) fn other_than_main(
        &self,
        schemes: &[Option<LinearScheme>],
    ) -> Result<Option<LinearScheme>, ConfigError> {
        let mut there = schemes.iter().flatten();
        let first = there.next();
        if there.any(|scheme| Some(scheme) != first) {
            return Err(ConfigError::unsupported(
                "checkpoints that quantise one part of a layer in two ways are not modelled yet",
            ));
        }
        Ok(first.copied().filter(|scheme| *scheme != self.scheme))
    }

    /// Which output layer is quantised depends on the ignore list and, if there are several schemes, on its own.
    fn with_lm_head(mut self) -> Self {
        let own = self.mixed.as_ref().map(|mixed| mixed.scheme("lm_head"));
        // Inkling's files call it the last.
        let ignored = ["lm_head", "language_model.lm_head", "model.llm.unembed"]
            .iter()
            .any(|name| self.ignores(name));
        self.lm_head = own != Some(None) && !ignored;
        if let Some(Some(scheme)) = own.filter(|_| self.lm_head) {
            self.scheme = scheme;
        }
        self
    }
}

impl Module {
    /// Whether it stands for that module or a parent of it.
    pub(super) fn matches(&self, module: &str) -> bool {
        match self {
            Self::Name(name) => {
                module == name
                    || module
                        .strip_suffix(name.as_str())
                        .is_some_and(|front| front.ends_with('.'))
                    || module
                        .strip_prefix(name.as_str())
                        .is_some_and(|rest| rest.starts_with('.'))
            }
            Self::Wildcard(parts) => wildcard(parts, module),
            Self::Pattern(pattern) => pattern.starts(module),
        }
    }
}

/// Whether the parts follow each other in the module's name or in one of its parents', the first at its start.
fn wildcard(parts: &[String], module: &str) -> bool {
    let Some((first, rest)) = parts.split_first() else {
        return false;
    };
    let Some(mut left) = module.strip_prefix(first.as_str()) else {
        return false;
    };
    for part in rest {
        match left.find(part.as_str()) {
            Some(at) => left = left.get(at + part.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    let open_end = parts.last().is_some_and(String::is_empty);
    open_end || left.is_empty() || left.starts_with('.')
}

/// Reads the checkpoint's own description; `None` where it is not quantised.
pub(super) fn read(fields: &Fields<'_>, experts: Experts) -> Result<Option<Quantization>, ConfigError> {
    let (key, object) = match fields.object("quantization_config")? {
        Some(object) => ("quantization_config", object),
        None => match fields.object("compression_config")? {
            Some(object) => ("compression_config", object),
            None => return Ok(None),
        },
    };
    let inner = Fields::new(object, "quantization_config");
    let Some(method) = inner.text("quant_method")? else {
        let modelopt = object.contains_key("quant_algo") || object.contains_key("producer");
        let why = if modelopt {
            "it is ModelOpt's without a `quant_method`, and vLLM then takes the checkpoint for a 16-bit one and fails on its scales"
        } else {
            "it names no `quant_method`"
        };
        return Err(ConfigError::unsupported(format!(
            "the checkpoint's `{key}` cannot be planned: {why}"
        )));
    };
    let quantization = match method.to_ascii_lowercase().as_str() {
        "fp8" if experts == Experts::DeepSeekV4 => deepseek_v4(fields, &inner)?,
        "fp8" => ling(fp8(&inner)?, &inner)?,
        "awq" => packed(&inner, "auto_awq", 75)?,
        "gptq" => packed(&inner, "auto_gptq", 60)?,
        // vLLM takes Kimi K3's experts as MXFP4 whatever the file calls them.
        "compressed-tensors"
            if experts == Experts::Kimi && inner.text("format")? == Some("mxfp4-pack-quantized") =>
        {
            Quantization::plain("mxfp4", LinearScheme::Mxfp4, 80)
        }
        "compressed-tensors" | "compressed_tensors" => compressed_tensors(&inner)?,
        "modelopt" | "modelopt_fp4" | "modelopt_mixed" | "modelopt_mxfp8" => {
            match inner.object("quantization")? {
                // As hf_quant_config.json has it.
                Some(nested) => modelopt(&Fields::new(nested, "quantization_config.quantization"))?,
                None => modelopt(&inner)?,
            }
        }
        "quark" => quark::read(&inner)?,
        "bitsandbytes" => bitsandbytes(&inner, experts)?,
        "fbgemm_fp8" => Quantization {
            ignore: names(&inner, "modules_to_not_convert")?,
            // The bound of the input's scale is kept as a scale of the input is.
            ..Quantization::plain(
                "fbgemm_fp8",
                LinearScheme::PerChannel8 {
                    static_activation: true,
                    float: true,
                },
                80,
            )
        },
        "mxfp4" if experts == Experts::GptOss => Quantization {
            ignore: names(&inner, "modules_to_not_convert")?,
            ..Quantization::plain("gpt_oss_mxfp4", LinearScheme::Mxfp4, 80)
        },
        other => return Err(not_modelled(other)),
    };
    Ok(Some(quantization))
}

/// The methods that vLLM dropped have their own words; the rest are not modelled yet.
fn not_modelled(method: &str) -> ConfigError {
    let gone = |last: &str, since: &str| {
        ConfigError::unsupported(format!(
            "quantization `{method}` is not in vLLM 0.33.0 (last in {last}, gone in {since})"
        ))
    };
    match method {
        "gguf" => gone("0.23.0", "0.24.0"),
        "hqq" => gone("0.13", "0.14"),
        _ => {
            let shown: String = method.chars().take(40).collect();
            ConfigError::unsupported(format!(
                "quantization `{shown}` is not modelled yet (known: fp8, awq, gptq, compressed-tensors, modelopt, quark)"
            ))
        }
    }
}

/// NF4 or FP4; double quantisation of the scales is undone while loading
/// (`model_loader/bitsandbytes_loader.py: _dequantize_dq` at 0.25.1).
fn bitsandbytes(fields: &Fields<'_>, experts: Experts) -> Result<Quantization, ConfigError> {
    if fields.flag("load_in_4bit")? != Some(true) {
        return Err(ConfigError::unsupported(
            "bitsandbytes with 8-bit weights is not modelled (known: `load_in_4bit`)",
        ));
    }
    if experts != Experts::None {
        return Err(ConfigError::unsupported(
            "bitsandbytes with experts is not modelled",
        ));
    }
    Ok(Quantization {
        ignore: names(fields, "llm_int8_skip_modules")?,
        ..Quantization::plain("bitsandbytes", NF4, 70)
    })
}

fn fp8(fields: &Fields<'_>) -> Result<Quantization, ConfigError> {
    let static_activation = fields.text("activation_scheme")? == Some("static");
    let scheme = match fields.list("weight_block_size")? {
        None => LinearScheme::Fp8PerTensor { static_activation },
        Some(sizes) => {
            let size = |i: usize| {
                sizes
                    .get(i)
                    .and_then(Value::as_u64)
                    .and_then(|v| u32::try_from(v).ok())
                    .filter(|v| (1..=65_536).contains(v))
            };
            match (sizes.len(), size(0), size(1)) {
                (2, Some(n), Some(k)) => LinearScheme::Fp8Block { n, k },
                _ => {
                    return Err(
                        fields.inconsistent("weight_block_size", "expected two numbers such as [128, 128]")
                    );
                }
            }
        }
    };
    let mut ignore = names(fields, "modules_to_not_convert")?;
    ignore.extend(names(fields, "ignored_layers")?);
    let experts = (fields.text("store_dtype")? == Some("mxfp4")).then_some(LinearScheme::Mxfp4);
    Ok(Quantization {
        experts,
        ignore,
        ..Quantization::plain("fp8", scheme, 75)
    })
}

/// Ling's own name of `store_dtype` (`models/bailing_moe_v3.py: _configure_ling_fp8_quant_config`).
fn ling(mut own: Quantization, fields: &Fields<'_>) -> Result<Quantization, ConfigError> {
    match fields.text("routed_experts_quant_method")? {
        None => {}
        Some("mxfp4") if matches!(own.scheme, LinearScheme::Fp8Block { .. }) => {
            own.experts = Some(LinearScheme::Mxfp4);
        }
        Some(other) => {
            let shown: String = other.chars().take(40).collect();
            return Err(ConfigError::unsupported(format!(
                "Unsupported routed experts quantization: '{shown}'"
            )));
        }
    }
    Ok(own)
}

/// FP8 blocks, and experts by `expert_dtype` (`models/deepseek_v4/quant_config.py`).
fn deepseek_v4(top: &Fields<'_>, fields: &Fields<'_>) -> Result<Quantization, ConfigError> {
    let key = "expert_dtype";
    // V4.1's files have it here (`transformers_utils/configs/deepseek_v41.py`).
    let named = if top.has(key) { top } else { fields };
    let fp4 = match named.text(key)? {
        None | Some("fp4") => true,
        Some("fp8") => false,
        Some(other) => {
            return Err(named.inconsistent(key, format!("expected fp4 or fp8, got {other:?}")));
        }
    };
    let nvfp4 = fields
        .text("moe_quant_algo")?
        .is_some_and(|name| name.eq_ignore_ascii_case("nvfp4"));
    let experts = if nvfp4 {
        LinearScheme::Nvfp4
    } else {
        LinearScheme::Mxfp4
    };
    let mut own = fp8(fields)?;
    // Each scale of 32 × 32 elements is repeated for the 32 rows (`layers/quantization/modelopt.py: KMxfp8Static`).
    if fp4 && own.scheme == (LinearScheme::Fp8Block { n: 32, k: 32 }) {
        own.scheme = LinearScheme::Mxfp8;
    }
    Ok(Quantization {
        method: "deepseek_v4_fp8",
        experts: fp4.then_some(experts),
        exponent_scales: fp4,
        ..own
    })
}

/// ModelOpt names its algorithm; the layers that stay as they are come with wildcards.
fn modelopt(fields: &Fields<'_>) -> Result<Quantization, ConfigError> {
    let algorithm = fields
        .text("quant_algo")?
        .unwrap_or_default()
        .to_ascii_uppercase();
    let (method, scheme, min_capability, mixed) = match algorithm.as_str() {
        "FP8" => ("modelopt", modelopt_scheme("FP8")?, 80, None),
        "NVFP4" | "W4A16_NVFP4" => ("modelopt_fp4", modelopt_scheme(&algorithm)?, 75, None),
        "MXFP8" => ("modelopt_mxfp8", modelopt_scheme("MXFP8")?, 80, None),
        "MIXED_PRECISION" => {
            let mixed = quantized_layers(fields)?;
            let first = mixed.first().ok_or_else(|| ConfigError::Missing {
                field: fields.name("quantized_layers"),
                needed_for: "the layout of the quantised weights",
            })?;
            ("modelopt_mixed", first, 75, Some(mixed))
        }
        other => return Err(unknown_algorithm(other)),
    };
    let scheme_is_fp8 = |value: &Value| match value {
        Value::String(name) => name == "FP8",
        Value::Object(scheme) => scheme.get("num_bits").and_then(Value::as_u64) == Some(8),
        _ => false,
    };
    let fp8_kv_cache = fields.value("kv_cache_scheme").is_some_and(scheme_is_fp8)
        || fields.text("kv_cache_quant_algo")? == Some("FP8");
    let mut ignore = names(fields, "ignore")?;
    ignore.extend(names(fields, "exclude_modules")?);
    let quantization = Quantization {
        fp8_kv_cache,
        ignore,
        mixed,
        ..Quantization::plain(method, scheme, min_capability)
    };
    Ok(quantization.with_lm_head())
}

fn unknown_algorithm(algorithm: &str) -> ConfigError {
    let shown: String = algorithm.chars().take(40).collect();
    ConfigError::unsupported(format!(
        "ModelOpt's `{shown}` is not modelled yet (known: FP8, MXFP8, NVFP4, W4A16_NVFP4, MIXED_PRECISION)"
    ))
}

fn modelopt_scheme(algorithm: &str) -> Result<LinearScheme, ConfigError> {
    match algorithm {
        "FP8" => Ok(LinearScheme::Fp8PerTensor {
            static_activation: true,
        }),
        "NVFP4" => Ok(LinearScheme::Nvfp4),
        "W4A16_NVFP4" => Ok(LinearScheme::Nvfp4Weights),
        "MXFP8" => Ok(LinearScheme::Mxfp8),
        other => Err(unknown_algorithm(other)),
    }
}

/// `quantized_layers`: one entry per module, or the groups of layers that compressed-tensors writes.
fn quantized_layers(fields: &Fields<'_>) -> Result<Mixed, ConfigError> {
    let mut mixed = Mixed::default();
    for (module, recipe) in fields.object("quantized_layers")?.into_iter().flatten() {
        let algorithm = recipe
            .get("quant_algo")
            .and_then(Value::as_str)
            .unwrap_or_default();
        mixed.name(module, modelopt_scheme(&algorithm.to_ascii_uppercase())?);
    }
    if fields.has("quantized_layers") {
        return Ok(mixed);
    }
    let groups = fields.object("config_groups")?.into_iter().flatten();
    for group in groups.filter_map(|(_, group)| group.as_object()) {
        let bits = group
            .get("weights")
            .and_then(|weights| weights.get("num_bits"))
            .and_then(Value::as_u64);
        let activations = group.get("input_activations").is_some_and(Value::is_object);
        let scheme = modelopt_scheme(match (bits, activations) {
            (Some(8), true) => "FP8",
            (Some(4), true) => "NVFP4",
            (Some(4), false) => "W4A16_NVFP4",
            _ => "config_groups",
        })?;
        let targets = group.get("targets").and_then(Value::as_array);
        for target in targets.into_iter().flatten().filter_map(Value::as_str) {
            mixed.pattern(module(target)?, scheme);
        }
    }
    Ok(mixed)
}

/// AWQ and GPTQ: packed integers with a scale per group.
fn packed(
    fields: &Fields<'_>,
    method: &'static str,
    min_capability: u16,
) -> Result<Quantization, ConfigError> {
    let awq = method == "auto_awq";
    let bits = match fields.count("bits", 16)? {
        Some(bits) => bits,
        None => fields.count("w_bit", 16)?.ok_or_else(|| ConfigError::Missing {
            field: fields.name("bits"),
            needed_for: "the size of a quantised weight",
        })?,
    };
    let allowed: &[u32] = if awq { &[4] } else { &[4, 8] };
    if !allowed.contains(&bits) {
        let refusal = if awq {
            format!("{bits}-bit weights of `{method}` are not modelled")
        } else {
            let sym = if fields.flag("sym")? == Some(false) {
                "False"
            } else {
                "True"
            };
            format!("Unsupported quantization config: bits={bits}, sym={sym}")
        };
        return Err(ConfigError::unsupported(refusal));
    }
    if fields
        .value("dynamic")
        .and_then(Value::as_object)
        .is_some_and(|rules| !rules.is_empty())
    {
        return Err(ConfigError::unsupported(
            "GPTQ checkpoints with `dynamic` rules per module are not modelled yet",
        ));
    }
    let group_size = group(
        fields,
        if fields.has("group_size") {
            "group_size"
        } else {
            "q_group_size"
        },
    )?;
    let zero_points = if awq {
        fields.flag("zero_point")?.unwrap_or(true)
    } else {
        !fields.flag("sym")?.unwrap_or(true)
    };
    let desc_act = fields.flag("desc_act")?.unwrap_or(false);
    let scheme = LinearScheme::PackedInt {
        bits,
        group_size,
        zero_points,
        desc_act,
        compressed_tensors: false,
    };
    let lm_head = fields.flag("lm_head")?.unwrap_or(false);
    let ignore = names(fields, "modules_to_not_convert")?;
    Ok(Quantization {
        lm_head,
        ignore,
        ..Quantization::plain(method, scheme, min_capability)
    })
}

/// `-1` is one group over the whole input.
fn group(fields: &Fields<'_>, key: &str) -> Result<Option<u32>, ConfigError> {
    if fields.value(key).and_then(Value::as_i64) == Some(-1) {
        return Ok(None);
    }
    fields.count(key, 1 << 20)
}

fn compressed_tensors(fields: &Fields<'_>) -> Result<Quantization, ConfigError> {
    let groups = fields
        .object("config_groups")?
        .ok_or_else(|| ConfigError::Missing {
            field: fields.name("config_groups"),
            needed_for: "the layout of the quantised weights",
        })?;
    let groups: Vec<_> = groups.values().filter_map(Value::as_object).collect();
    let mut mixed = Mixed::default();
    for group in &groups {
        let scheme = compressed_scheme(group)?;
        let targets = group.get("targets").and_then(Value::as_array);
        for target in targets.into_iter().flatten().filter_map(Value::as_str) {
            if target == "Linear" {
                mixed.linear(scheme);
            } else {
                mixed.pattern(module(target)?, scheme);
            }
        }
    }
    let scheme = mixed.first().ok_or_else(|| ConfigError::Missing {
        field: "quantization_config.config_groups.targets".to_owned(),
        needed_for: "the layers that are quantised",
    })?;
    // One group of all linear layers is the common case.
    let mixed = Some(mixed).filter(|mixed| !mixed.is_uniform());
    let fp8_kv_cache = fields.object("kv_cache_scheme")?.is_some_and(|scheme| {
        scheme.get("num_bits").and_then(Value::as_u64) == Some(8)
            && scheme.get("type").and_then(Value::as_str) == Some("float")
    });
    let ignore = names(fields, "ignore")?;
    let min_capability = match scheme {
        LinearScheme::PackedInt { .. } | LinearScheme::PerChannel8 { .. } | LinearScheme::Nvfp4 => 75,
        _ => 70,
    };
    // The target `Linear` never takes the output layer, whether the ignore list names it or not.
    Ok(Quantization {
        fp8_kv_cache,
        ignore,
        mixed,
        ..Quantization::plain("compressed-tensors", scheme, min_capability)
    })
}

fn compressed_scheme(group: &Map<String, Value>) -> Result<LinearScheme, ConfigError> {
    let part = |key: &str| group.get(key).and_then(Value::as_object);
    let Some(weights) = part("weights") else {
        return Err(ConfigError::Missing {
            field: "quantization_config.config_groups.weights".to_owned(),
            needed_for: "the layout of the quantised weights",
        });
    };
    let text =
        |object: &Map<String, Value>, key: &str| object.get(key).and_then(Value::as_str).map(str::to_owned);
    let bits = weights.get("num_bits").and_then(Value::as_u64).unwrap_or(0);
    let kind = text(weights, "type").unwrap_or_default();
    let strategy = text(weights, "strategy").unwrap_or_default();
    let symmetric = weights.get("symmetric").and_then(Value::as_bool).unwrap_or(true);
    let activation = part("input_activations");
    let static_activation = activation.is_some_and(|a| a.get("dynamic") == Some(&Value::Bool(false)));
    let number = |key: &str| {
        weights
            .get(key)
            .and_then(Value::as_u64)
            .and_then(|v| u32::try_from(v).ok())
            .filter(|v| *v > 0)
    };
    match (bits, kind.as_str(), strategy.as_str(), activation.is_some()) {
        (8, "float", "tensor", true) => Ok(LinearScheme::Fp8PerTensor { static_activation }),
        (8, "float", "channel", true) => Ok(LinearScheme::PerChannel8 {
            static_activation,
            float: true,
        }),
        (8, "int", "channel", true) => Ok(LinearScheme::PerChannel8 {
            static_activation,
            float: false,
        }),
        (8, "float", "block", true) => {
            let block = weights.get("block_structure").and_then(Value::as_array);
            let size = |i: usize| {
                block?
                    .get(i)?
                    .as_u64()
                    .and_then(|v| u32::try_from(v).ok())
                    .filter(|v| *v > 0)
            };
            match (size(0), size(1)) {
                (Some(n), Some(k)) => Ok(LinearScheme::Fp8Block { n, k }),
                _ => Err(ConfigError::Missing {
                    field: "quantization_config.config_groups.weights.block_structure".to_owned(),
                    needed_for: "the scales of block-quantised weights",
                }),
            }
        }
        (4, "float", "tensor_group", true) => Ok(LinearScheme::Nvfp4),
        (4, "float", "tensor_group", false) => Ok(LinearScheme::Nvfp4Weights),
        (4 | 8, "int", "group" | "channel", false) => Ok(LinearScheme::PackedInt {
            bits: if bits == 4 { 4 } else { 8 },
            group_size: if strategy == "group" {
                number("group_size")
            } else {
                None
            },
            zero_points: !symmetric,
            desc_act: matches!(text(weights, "actorder").as_deref(), Some("group")),
            compressed_tensors: true,
        }),
        _ => Err(ConfigError::unsupported(format!(
            "the compressed-tensors scheme ({bits}-bit {kind} weights, {strategy} scales) is not modelled yet"
        ))),
    }
}

/// A list of module names, with `re:` for patterns.
pub(super) fn names(fields: &Fields<'_>, key: &str) -> Result<Vec<Module>, ConfigError> {
    let mut names = Vec::new();
    for value in fields.list(key)?.unwrap_or_default() {
        let Some(text) = value.as_str() else {
            return Err(fields.wrong(key, "a list of module names", value));
        };
        names.push(module(text)?);
    }
    Ok(names)
}

/// One name, with `*` for any text or `re:` for a pattern.
fn module(text: &str) -> Result<Module, ConfigError> {
    Ok(match text.strip_prefix("re:") {
        None if text.contains('*') => Module::Wildcard(text.split('*').map(str::to_owned).collect()),
        None => Module::Name(text.to_owned()),
        Some(pattern) => Module::Pattern(Pattern::read(pattern).ok_or_else(|| {
            let shown: String = pattern.chars().take(60).collect();
            ConfigError::unsupported(format!("the module pattern {shown:?} cannot be read"))
        })?),
    })
}
