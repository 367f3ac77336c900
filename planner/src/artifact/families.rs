//! Which parsers and chat template the models of a family need, as data.
//!
//! Families and parsers are those of vLLM's `docs/features/tool_calling.md` and `docs/features/reasoning_outputs.md` at
//! 0.33.0, of its recipes, and of the parsers' own files (`vllm/tool_parsers`, `vllm/reasoning`; before 0.12
//! `vllm/entrypoints/openai/tool_parsers`). The tests hold every name against what three releases register.
//!
//! No family needs `--attention-backend`: vLLM picks the one that serves the model
//! (`docs/design/attention_backends.md`; before 0.12 the flag is not there at all).

/// A parser and the first release that was looked at and has it, 0.`.1`.`.2`.
pub(super) type Parser = (&'static str, u16, u16);

/// Models that are served alike.
#[derive(Clone, Copy)]
pub(super) struct Family {
    pub(super) architectures: &'static [&'static str],
    /// One of these is in the model's name, in lower case; none where any name will do.
    pub(super) names: &'static [&'static str],
    pub(super) tools: Option<Parser>,
    pub(super) reasoning: Option<Parser>,
    /// Chat template in vLLM's `examples` that tool calls need.
    pub(super) template: Option<&'static str>,
    /// The tokenizer is code of the model's repository.
    pub(super) remote_tokenizer: bool,
}

impl Family {
    const fn of(architectures: &'static [&'static str], names: &'static [&'static str]) -> Self {
        Self {
            architectures,
            names,
            tools: None,
            reasoning: None,
            template: None,
            remote_tokenizer: false,
        }
    }

    const fn tools(mut self, parser: Parser) -> Self {
        self.tools = Some(parser);
        self
    }

    const fn reasoning(mut self, parser: Parser) -> Self {
        self.reasoning = Some(parser);
        self
    }

    const fn template(mut self, file: &'static str) -> Self {
        self.template = Some(file);
        self
    }

    const fn remote_tokenizer(mut self) -> Self {
        self.remote_tokenizer = true;
        self
    }
}

const HERMES: Parser = ("hermes", 8, 5);
const QWEN3_CODER: Parser = ("qwen3_coder", 10, 0);
const QWEN3: Parser = ("qwen3", 9, 0);
const R1: Parser = ("deepseek_r1", 8, 5);
const KIMI_K2: Parser = ("kimi_k2", 10, 0);
const KIMI_THOUGHTS: Parser = ("kimi_k2", 11, 2);
const V3_THOUGHTS: Parser = ("deepseek_v3", 11, 2);
const GRANITE: Parser = ("granite", 8, 5);
const GLM45: Parser = ("glm45", 10, 1);
const GLM47: Parser = ("glm47", 14, 1);
const STEP3: Parser = ("step3", 10, 2);
const STEP35: Parser = ("step3p5", 33, 0);
const ERNIE45: Parser = ("ernie45", 11, 2);
const HUNYUAN: Parser = ("hunyuan_a13b", 10, 2);
const MISTRAL: Parser = ("mistral", 8, 5);
const PYTHONIC: Parser = ("pythonic", 8, 5);
const XLAM: Parser = ("xlam", 10, 2);
const OLMO3: Parser = ("olmo3", 11, 2);

const LLAMA: &[&str] = &["LlamaForCausalLM"];
const QWEN2: &[&str] = &["Qwen2ForCausalLM"];
const DEEPSEEK: &[&str] = &["DeepseekV3ForCausalLM"];
const QWEN3_MODELS: &[&str] = &["Qwen3ForCausalLM", "Qwen3MoeForCausalLM", "Qwen3NextForCausalLM"];
const GRANITE_MODELS: &[&str] = &["GraniteForCausalLM", "GraniteMoeForCausalLM"];
const GRANITE4_MODELS: &[&str] = &["GraniteForCausalLM", "GraniteMoeHybridForCausalLM"];
const MISTRAL_MODELS: &[&str] = &[
    "MistralForCausalLM",
    "Mistral3ForConditionalGeneration",
    "MixtralForCausalLM",
];

/// The first that matches counts.
pub(super) const FAMILIES: &[Family] = &[
    // Pool or continue texts; no chat.
    Family::of(QWEN3_MODELS, &["embedding", "reranker", "-base"]),
    Family::of(
        &["LlamaForCausalLM", "Qwen3ForCausalLM"],
        &["hermes-2-pro", "hermes-2-theta", "hermes-3", "hermes-4"],
    )
    .tools(HERMES),
    Family::of(LLAMA, &["xlam"])
        .tools(XLAM)
        .template("tool_chat_template_xlam_llama.jinja"),
    Family::of(QWEN2, &["xlam"])
        .tools(XLAM)
        .template("tool_chat_template_xlam_qwen.jinja"),
    Family::of(LLAMA, &["toolace"])
        .tools(PYTHONIC)
        .template("tool_chat_template_toolace.jinja"),
    Family::of(QWEN3_MODELS, &["coder"]).tools(QWEN3_CODER),
    Family::of(QWEN3_MODELS, &["instruct"]).tools(HERMES),
    Family::of(QWEN3_MODELS, &["qwen3"])
        .tools(HERMES)
        .reasoning(QWEN3),
    Family::of(
        &[
            "Qwen3_5ForConditionalGeneration",
            "Qwen3_5MoeForConditionalGeneration",
            "Qwen4ExpForConditionalGeneration",
        ],
        &[],
    )
    .tools(QWEN3_CODER)
    .reasoning(QWEN3),
    Family::of(
        &[
            "Qwen3VLForConditionalGeneration",
            "Qwen3VLMoeForConditionalGeneration",
        ],
        &["holo2"],
    )
    .reasoning(("holo2", 33, 0)),
    Family::of(QWEN2, &["qwq"]).tools(HERMES).reasoning(R1),
    Family::of(
        &["Qwen2ForCausalLM", "LlamaForCausalLM"],
        &["deepseek-r1-distill"],
    )
    .reasoning(R1),
    Family::of(QWEN2, &["qwen2.5"]).tools(HERMES),
    Family::of(DEEPSEEK, &["kimi-k2-thinking"])
        .tools(KIMI_K2)
        .reasoning(KIMI_THOUGHTS)
        .remote_tokenizer(),
    Family::of(DEEPSEEK, &["kimi-k2"])
        .tools(KIMI_K2)
        .remote_tokenizer(),
    Family::of(&["KimiK25ForConditionalGeneration"], &[])
        .tools(KIMI_K2)
        .reasoning(KIMI_THOUGHTS)
        .remote_tokenizer(),
    Family::of(&["KimiK3ForConditionalGeneration"], &[])
        .tools(("kimi_k3", 33, 0))
        .reasoning(("kimi_k3", 33, 0)),
    Family::of(DEEPSEEK, &["gigachat3"]).tools(("gigachat3", 33, 0)),
    Family::of(DEEPSEEK, &["v3.1"])
        .tools(("deepseek_v31", 10, 2))
        .reasoning(V3_THOUGHTS)
        .template("tool_chat_template_deepseekv31.jinja"),
    Family::of(DEEPSEEK, &["r1"])
        .tools(("deepseek_v3", 9, 0))
        .reasoning(R1)
        .template("tool_chat_template_deepseekr1.jinja"),
    Family::of(DEEPSEEK, &["deepseek-v3"])
        .tools(("deepseek_v3", 9, 0))
        .template("tool_chat_template_deepseekv3.jinja"),
    Family::of(&["DeepseekV32ForCausalLM"], &["deepseek"])
        .tools(("deepseek_v32", 13, 0))
        .reasoning(V3_THOUGHTS),
    Family::of(&["DeepseekV4ForCausalLM"], &["deepseek"])
        .tools(("deepseek_v4", 33, 0))
        .reasoning(("deepseek_v4", 33, 0)),
    Family::of(&["DeepseekV41ForCausalLM"], &["deepseek"])
        .tools(("deepseek_v41", 33, 0))
        .reasoning(("deepseek_v41", 33, 0)),
    Family::of(LLAMA, &["llama-3.1-", "llama-3.2-", "llama-3.3-"])
        .tools(("llama3_json", 8, 5))
        .template("tool_chat_template_llama3.1_json.jinja"),
    Family::of(&["Llama4ForConditionalGeneration"], &[])
        .tools(("llama4_pythonic", 9, 0))
        .template("tool_chat_template_llama4_pythonic.jinja"),
    Family::of(MISTRAL_MODELS, &["magistral"])
        .tools(MISTRAL)
        .reasoning(("mistral", 10, 0)),
    Family::of(MISTRAL_MODELS, &["instruct", "devstral"]).tools(MISTRAL),
    Family::of(&["GptOssForCausalLM"], &[])
        .tools(("openai", 10, 2))
        .reasoning(("openai_gptoss", 10, 2)),
    Family::of(&["Glm4MoeForCausalLM"], &["4.7"])
        .tools(GLM47)
        .reasoning(GLM45),
    Family::of(&["Glm4MoeLiteForCausalLM"], &["4.7"])
        .tools(GLM47)
        .reasoning(GLM45),
    Family::of(&["Glm4MoeForCausalLM"], &[])
        .tools(GLM45)
        .reasoning(GLM45),
    Family::of(&["MiniMaxM2ForCausalLM"], &[])
        .tools(("minimax_m2", 11, 2))
        .reasoning(("minimax_m2_append_think", 11, 2)),
    Family::of(
        &[
            "MiniMaxM3SparseForCausalLM",
            "MiniMaxM3SparseForConditionalGeneration",
        ],
        &[],
    )
    .tools(("minimax_m3", 33, 0))
    .reasoning(("minimax_m3", 33, 0)),
    Family::of(
        &["NemotronHForCausalLM", "NemotronHPuzzleForCausalLM"],
        &["nemotron-3", "nemotron-labs-3-puzzle"],
    )
    .tools(QWEN3_CODER)
    .reasoning(("nemotron_v3", 19, 1)),
    Family::of(&["Gemma4ForConditionalGeneration", "Gemma4ForCausalLM"], &["-it"])
        .tools(("gemma4", 19, 1))
        .reasoning(("gemma4", 19, 1)),
    Family::of(&["Gemma3ForCausalLM"], &["functiongemma"])
        .tools(("functiongemma", 33, 0))
        .template("tool_chat_template_functiongemma.jinja"),
    Family::of(
        &["Gemma3ForConditionalGeneration", "Gemma3ForCausalLM"],
        &["gemma-3-4b-it", "gemma-3-12b-it", "gemma-3-27b-it"],
    )
    .tools(PYTHONIC)
    .template("tool_chat_template_gemma3_pythonic.jinja"),
    Family::of(&["Phi3ForCausalLM"], &["phi-4-mini-instruct"])
        .tools(("phi4_mini_json", 10, 2))
        .template("tool_chat_template_phi4_mini.jinja"),
    Family::of(&["GPTBigCodeForCausalLM"], &["granite-20b-functioncalling"])
        .tools(("granite-20b-fc", 10, 2))
        .template("tool_chat_template_granite_20b_fc.jinja"),
    Family::of(GRANITE_MODELS, &["granite-3.0-"])
        .tools(GRANITE)
        .template("tool_chat_template_granite.jinja"),
    Family::of(GRANITE_MODELS, &["granite-3.2-"])
        .tools(GRANITE)
        .reasoning(("granite", 10, 2)),
    Family::of(GRANITE_MODELS, &["granite-3.1-", "granite-3.3-"]).tools(GRANITE),
    Family::of(GRANITE4_MODELS, &["granite-4.0-"]).tools(("granite4", 33, 0)),
    Family::of(GRANITE4_MODELS, &["granite-4.2-"]).reasoning(("granite_thinking_parser", 33, 0)),
    Family::of(&["Olmo3ForCausalLM"], &["think"])
        .tools(OLMO3)
        .reasoning(OLMO3),
    Family::of(&["Olmo3ForCausalLM"], &["instruct"]).tools(OLMO3),
    Family::of(&["SeedOssForCausalLM"], &["instruct"])
        .tools(("seed_oss", 10, 2))
        .reasoning(("seed_oss", 11, 0)),
    Family::of(&["HunYuanMoEV1ForCausalLM"], &["a13b-instruct"])
        .tools(HUNYUAN)
        .reasoning(HUNYUAN),
    Family::of(&["HYV3ForCausalLM"], &[])
        .tools(("hy_v3", 33, 0))
        .reasoning(("hy_v3", 33, 0)),
    Family::of(&["HYV4ForCausalLM"], &[])
        .tools(("hy_v4", 33, 0))
        .reasoning(("hy_v4", 33, 0)),
    Family::of(&["Ernie4_5_MoeForCausalLM"], &["thinking"])
        .tools(ERNIE45)
        .reasoning(ERNIE45),
    Family::of(&["Ernie4_5_VLMoeForConditionalGeneration"], &[]).reasoning(ERNIE45),
    Family::of(&["Step3VLForConditionalGeneration", "Step3TextForCausalLM"], &[])
        .tools(STEP3)
        .reasoning(STEP3),
    Family::of(
        &["Step3p5ForCausalLM", "Step3p7ForConditionalGeneration"],
        &["flash"],
    )
    .tools(STEP35)
    .reasoning(STEP35),
    Family::of(&["MiMoV2ForCausalLM", "MiMoV2FlashForCausalLM"], &["mimo-v2.6"])
        .tools(("mimo", 33, 0))
        .reasoning(("mimo", 33, 0)),
    Family::of(&["JambaForCausalLM"], &["jamba-1.5-"]).tools(("jamba", 10, 2)),
    Family::of(&["InternLM2ForCausalLM"], &["internlm2_5-"])
        .tools(("internlm", 10, 2))
        .template("tool_chat_template_internlm2_tool.jinja")
        .remote_tokenizer(),
    Family::of(&["LongcatFlashForCausalLM"], &["longcat-flash-chat"]).tools(("longcat", 11, 2)),
    Family::of(&["Lfm2ForCausalLM", "Lfm2MoeForCausalLM"], &["lfm2"]).tools(("lfm2", 33, 0)),
    Family::of(&["ApertusForCausalLM"], &["instruct"])
        .tools(("apertus", 33, 0))
        .template("tool_chat_template_apertus.jinja"),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// What `--tool-call-parser` takes, as the three releases register them.
    const TOOLS: [(u16, u16, &str); 3] = [
        (
            10,
            2,
            "deepseek_v3 deepseek_v31 glm45 granite granite-20b-fc hermes hunyuan_a13b internlm jamba kimi_k2 \
             llama3_json llama4_json llama4_pythonic minimax mistral openai phi4_mini_json pythonic qwen3_coder seed_oss \
             step3 xlam",
        ),
        (
            11,
            2,
            "deepseek_v3 deepseek_v31 ernie45 glm45 granite-20b-fc granite hermes hunyuan_a13b internlm jamba kimi_k2 \
             llama3_json llama4_json llama4_pythonic longcat minimax_m2 minimax mistral olmo3 openai phi4_mini_json \
             pythonic qwen3_coder qwen3_xml seed_oss step3 xlam",
        ),
        (
            33,
            0,
            "dots deepseek_v3 deepseek_v31 deepseek_v32 deepseek_v4 deepseek_v41 cohere_command3 cohere_command4 ernie45 \
             glm45 glm47 ling3 granite-20b-fc granite granite4 hermes hf beam poolside_v1 hunyuan_a13b hy_v3 hy_v4 internlm \
             jamba lfm2 kimi_k2 kimi_k3 k2_horizon llama3_json llama4_json llama4_pythonic longcat mimo minimax_m2 \
             minimax_m3 minicpm5 mistral olmo3 plamo3 muse muse_glimmer musespark1x openai phi4_mini_json pythonic \
             qwen3_coder qwen3_json qwen3_xml seed_oss step3 step3p5 step5 inkling xlam gigachat3 functiongemma gemma4 \
             apertus",
        ),
    ];

    /// What `--reasoning-parser` takes.
    const REASONING: [(u16, u16, &str); 3] = [
        (
            10,
            2,
            "deepseek_r1 glm45 openai_gptoss granite hunyuan_a13b mistral qwen3 step3",
        ),
        (
            11,
            2,
            "deepseek_r1 deepseek_v3 ernie45 glm45 openai_gptoss granite hunyuan_a13b kimi_k2 minimax_m2 \
             minimax_m2_append_think mistral olmo3 qwen3 seed_oss step3",
        ),
        (
            33,
            0,
            "deepseek_r1 deepseek_v3 deepseek_v4 deepseek_v41 poolside_v1 cohere_command3 cohere_command4 ernie45 gemma4 \
             glm45 glm47 ling3 openai_gptoss granite granite_thinking_parser hf beam holo2 hunyuan_a13b hy_v3 hy_v4 kimi_k2 \
             kimi_k3 k2_horizon mimo minicpmv minimax_m2 minimax_m2_append_think minimax_m3 mistral nemotron_v3 olmo3 plamo3 \
             muse muse_glimmer musespark1x qwen3 seed_oss step3 step3p5 step5 inkling",
        ),
    ];

    #[track_caller]
    fn registered(parser: Option<Parser>, releases: &[(u16, u16, &str)]) {
        let Some((name, minor, patch)) = parser else {
            return;
        };
        for (release_minor, release_patch, names) in releases {
            let there = names.split_whitespace().any(|known| known == name);
            if (minor, patch) <= (*release_minor, *release_patch) {
                assert!(there, "0.{release_minor}.{release_patch} has no {name}");
            }
        }
    }

    #[test]
    fn parsers_are_registered_in_every_release_from_theirs_on() {
        for family in FAMILIES {
            registered(family.tools, &TOOLS);
            registered(family.reasoning, &REASONING);
        }
    }

    #[test]
    fn no_family_stands_behind_one_that_takes_all_of_it() {
        for (at, family) in FAMILIES.iter().enumerate() {
            for name in family.architectures {
                let taken = FAMILIES[..at]
                    .iter()
                    .any(|before| before.names.is_empty() && before.architectures.contains(name));
                assert!(!taken, "{name} {:?}", family.names);
            }
        }
    }
}
