//! The one argument list: every command line, container command and chart value comes from here.
//!
//! A flag is written where it differs from vLLM's default or where the plan relies on it.
use crate::{
    bounds,
    command::list_values,
    engine::{Chosen, FlagKind, FlagTable, KvCacheDtype, NO_ITEMS, ResolvedArgs, SetBy, extras, negation},
    plan::Plan,
};
use std::borrow::Cow;

const LIMITS: &str = "--limit-mm-per-prompt";

/// One argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arg {
    /// `--flag`; `None` for the model, which comes first and bare.
    pub flag: Option<String>,
    /// No value for a switch, several for a list.
    pub values: Vec<String>,
    /// Why it is there, as a sentence.
    pub why: String,
}

impl Arg {
    /// The words on the command line.
    pub fn words(&self) -> Vec<Cow<'_, str>> {
        match (&self.flag, self.values.as_slice()) {
            // vLLM's parser would take the value for a flag of its own.
            (Some(flag), [value]) if value.starts_with('-') => vec![format!("{flag}={value}").into()],
            (flag, values) => flag
                .iter()
                .chain(values)
                .map(|word| Cow::Borrowed(word.as_str()))
                .collect(),
        }
    }
}

/// What follows `vllm serve`. Empty where the plan is unsupported.
pub fn serve_args(plan: &Plan) -> Vec<Arg> {
    let Some(args) = &plan.args else {
        return Vec::new();
    };
    let mut list = List {
        args: vec![Arg {
            flag: None,
            values: vec![plan.scenario.model.id.clone()],
            why: "The model.".to_owned(),
        }],
    };
    if let Some(revision) = &plan.scenario.model.revision {
        list.push("--revision", revision, "Set by you.");
    }
    list.layout(args);
    list.memory(args);
    list.batch(args);
    list.kinds(args);
    list.language_model_only(plan, args);
    list.server(plan);
    list.passed_through(plan);
    list.args
}

/// The words that follow `vllm serve`.
pub fn serve_words(plan: &Plan) -> Vec<String> {
    serve_args(plan)
        .iter()
        .flat_map(Arg::words)
        .map(Cow::into_owned)
        .collect()
}

struct List {
    args: Vec<Arg>,
}

impl List {
    fn push(&mut self, flag: &str, value: &str, why: &str) {
        self.args.push(Arg {
            flag: Some(flag.to_owned()),
            values: vec![value.to_owned()],
            why: why.to_owned(),
        });
    }

    fn value<T>(&mut self, id: &str, chosen: &Chosen<T>, text: &str) {
        self.push(flag_of(id), text, &chosen.why);
    }

    /// A switch, where it differs from vLLM's default; where that depends on the model, where somebody set it.
    fn switch(&mut self, id: &str, chosen: &Chosen<bool>, default: Option<bool>) {
        let says_something = match default {
            Some(default) => chosen.value != default,
            None => chosen.set_by != SetBy::VllmDefault,
        };
        if says_something {
            let flag = flag_of(id);
            let flag = if chosen.value {
                flag.to_owned()
            } else {
                negation(flag)
            };
            self.args.push(Arg {
                flag: Some(flag),
                values: Vec::new(),
                why: chosen.why.clone(),
            });
        }
    }

    fn layout(&mut self, args: &ResolvedArgs) {
        for (id, size) in [
            ("tensor_parallel_size", &args.tensor_parallel_size),
            ("pipeline_parallel_size", &args.pipeline_parallel_size),
            ("data_parallel_size", &args.data_parallel_size),
        ] {
            let asked = id == "tensor_parallel_size" && size.set_by == SetBy::User;
            if size.value > 1 || asked {
                self.value(id, size, &size.value.to_string());
            }
        }
        self.switch(
            "enable_expert_parallel",
            &args.enable_expert_parallel,
            Some(false),
        );
    }

    fn memory(&mut self, args: &ResolvedArgs) {
        let len = &args.max_model_len;
        self.value("max_model_len", len, &len.value.to_string());
        if let Some(bytes) = args.kv_cache_memory_bytes {
            self.push(
                flag_of("kv_cache_memory_bytes"),
                &bytes.get().to_string(),
                "Set by you; --gpu-memory-utilization is ignored then.",
            );
        } else {
            let part = &args.gpu_memory_utilization;
            self.value("gpu_memory_utilization", part, &part.value.to_string());
        }
        let kv = &args.kv_cache_dtype;
        if kv.value != KvCacheDtype::Auto {
            self.value("kv_cache_dtype", kv, kv.value.name());
        }
        if args.block_size.set_by != SetBy::VllmDefault {
            let size = &args.block_size;
            self.value("block_size", size, &size.value.to_string());
        }
    }

    fn batch(&mut self, args: &ResolvedArgs) {
        for (id, size) in [
            ("max_num_seqs", &args.max_num_seqs),
            ("max_num_batched_tokens", &args.max_num_batched_tokens),
        ] {
            if size.set_by != SetBy::VllmDefault {
                self.value(id, size, &size.value.to_string());
            }
        }
        // vLLM decides these by model where nobody does.
        self.switch("enable_prefix_caching", &args.enable_prefix_caching, None);
        self.switch("enable_chunked_prefill", &args.enable_chunked_prefill, None);
        self.switch("enforce_eager", &args.enforce_eager, Some(false));
        self.switch(
            "disable_hybrid_kv_cache_manager",
            &args.disable_hybrid_kv_cache_manager,
            None,
        );
    }

    fn kinds(&mut self, args: &ResolvedArgs) {
        if args.dtype.set_by != SetBy::VllmDefault {
            self.value("dtype", &args.dtype, args.dtype.value.name());
        }
        // A quantised checkpoint says so itself.
        if let Some(method) = &args.quantization
            && method.set_by == SetBy::User
        {
            self.value("quantization", method, &method.value);
        }
        self.switch("trust_remote_code", &args.trust_remote_code, Some(false));
    }

    fn server(&mut self, plan: &Plan) {
        let engine = &plan.scenario.engine;
        if let Some(name) = &engine.served_model_name {
            self.push(flag_of("served_model_name"), name, "Set by you.");
        }
        if let Some(port) = engine.port {
            self.push(flag_of("port"), &port.to_string(), "Set by you.");
        }
    }

    /// By its flag, or before that came by limits of 0.
    fn language_model_only(&mut self, plan: &Plan, args: &ResolvedArgs) {
        let only = &args.language_model_only;
        if plan.scenario.vllm_version.memory_rules().language_model_only {
            self.switch("language_model_only", only, Some(false));
        } else if only.value && plan.scenario.model.spec.as_ref().is_ok_and(|spec| spec.has_tower) {
            let why = "The language model alone; a flag of its own came with 0.17.0.";
            self.push(LIMITS, NO_ITEMS, why);
        }
    }

    fn passed_through(&mut self, plan: &Plan) {
        let table = FlagTable::of(plan.scenario.vllm_version);
        let limited = self.args.iter().any(|arg| arg.flag.as_deref() == Some(LIMITS));
        for (flag, value) in &plan.scenario.engine.vllm_args {
            if limited && flag.starts_with(LIMITS) {
                continue;
            }
            let is_list = table
                .find(flag)
                .is_some_and(|found| found.flag.kind == FlagKind::List);
            let values = match value {
                Some(value) if is_list => list_values(value),
                value => value.iter().cloned().collect(),
            };
            self.args.push(Arg {
                flag: Some(flag.clone()),
                values,
                why: if extras::reads(flag) {
                    "Set by you."
                } else {
                    "Passed through; the plan does not model it."
                }
                .to_owned(),
            });
        }
    }
}

fn flag_of(id: &str) -> &'static str {
    bounds::field(id).and_then(|field| field.flag).unwrap_or_default()
}
