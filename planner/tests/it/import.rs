//! Existing deployments in the forms that people have them.
use planner::{
    Scenario, gpu,
    import::{Form, ImportError, Imported, read, read_words},
    model::ModelInput,
    plan::Hardware,
};
use proptest::prelude::*;

const MANIFEST: &str = r#"
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: cache}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: llama
spec:
  replicas: 1
  template:
    spec:
      nodeSelector:
        nvidia.com/gpu.product: NVIDIA-H100-80GB-HBM3
      containers:
      - name: sidecar
        image: busybox
        args: ["sleep", "inf"]
      - name: server
        image: vllm/vllm-openai:v0.11.2
        command: ["/bin/sh", "-c"]
        args:
        - >-
          exec vllm serve $(MODEL)
          --tensor-parallel-size 2 --max-model-len 8192
          --api-key "$VLLM_API_KEY"
        env:
        - name: MODEL
          value: Qwen/Qwen3-8B
        - name: VLLM_API_KEY
          valueFrom: {secretKeyRef: {name: k, key: k}}
        resources:
          limits:
            nvidia.com/gpu: "2"
"#;

const COMPOSE: &str = r#"
x-gpu: &gpu
  deploy:
    resources:
      reservations:
        devices:
          - driver: nvidia
            device_ids: ["0", "3"]
            capabilities: [gpu]
services:
  web:
    image: ghcr.io/open-webui/open-webui:main
    ports: ["3000:8080"]
  llm:
    <<: *gpu
    image: vllm/vllm-openai:${VLLM_TAG:-v0.11.2}
    environment:
      - HF_TOKEN=${HF_TOKEN}
    command: >
      --model Qwen/Qwen3-8B
      --tensor-parallel-size 2 --max-model-len 8192
      --speculative-config '{"method": "ngram", "num_speculative_tokens": 3}'
volumes: {cache: {}}
"#;

const SCRIPT: &str = r#"#!/usr/bin/env bash
set -euo pipefail
MODEL=Qwen/Qwen3-8B   # the model
export CUDA_VISIBLE_DEVICES=0,1
ARGS=(--max-model-len 8192)
ARGS+=(--served-model-name "my model")
if ! command -v vllm >/dev/null 2>&1; then
  echo 'vllm serve is not there' >&2
  exit 127
fi
exec vllm serve "$MODEL" \
  --tensor-parallel-size 2 \
  "${ARGS[@]}" \
  --port "${PORT:-8001}" "$@" > server.log 2>&1 &
"#;

fn get(text: &str) -> Imported {
    read(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn value(imported: &Imported, id: &str) -> Option<String> {
    imported.command.engine.get(id)
}

fn scenario(imported: &Imported) -> Scenario {
    let model = ModelInput::from_catalog(&imported.command.model).unwrap();
    let hardware = Hardware {
        others: Vec::new(),
        gpu: gpu::find("L4").unwrap().clone(),
        gpus: 1,
        nodes: 1,
        interconnect: planner::plan::Interconnect::Unknown,
        memory_used: planner::units::Bytes::ZERO,
    };
    imported.scenario(model, hardware)
}

#[test]
fn one_command_in_every_dress() {
    for (text, form) in [
        (
            "vllm serve Qwen/Qwen3-8B -tp 2 --max-model-len 8192",
            Form::Command,
        ),
        (
            "$ vllm serve Qwen/Qwen3-8B -tp 2 --max-model-len 8192",
            Form::Command,
        ),
        (
            "HF_TOKEN=x CUDA_VISIBLE_DEVICES=0,1 nohup vllm serve 'Qwen/Qwen3-8B' \\\n  --tensor-parallel-size=2 \\\n  --max_model_len \"8192\" &> log &",
            Form::Command,
        ),
        (
            "python3 -m vllm.entrypoints.openai.api_server --model Qwen/Qwen3-8B -tp 2 --max-model-len 8192",
            Form::Command,
        ),
        (
            "source venv/bin/activate && exec /opt/venv/bin/vllm serve Qwen/Qwen3-8B -tp 2 --max-model-len 8192 2>&1 | tee log",
            Form::Command,
        ),
        (
            "bash -lc \"vllm serve Qwen/Qwen3-8B -tp 2 --max-model-len 8192\"",
            Form::Command,
        ),
        (
            "vllm serve Qwen/Qwen3-8B `\r\n  -tp 2 `\r\n  --max-model-len 8192\r\n",
            Form::Command,
        ),
        (
            "vllm serve \"Qwen/Qwen3-8B\" ^\r\n  -tp 2 ^\r\n  --max-model-len 8192\r\n",
            Form::Command,
        ),
        (SCRIPT, Form::Command),
        (
            "docker run --runtime nvidia --gpus '\"device=0,1\"' -v ~/.cache/huggingface:/root/.cache/huggingface \\\n  --env \"HF_TOKEN=$HF_TOKEN\" -p 8000:8000 --ipc=host \\\n  vllm/vllm-openai:v0.11.2 --model Qwen/Qwen3-8B -tp 2 --max-model-len 8192",
            Form::Docker,
        ),
        (
            "sudo docker run -itd --rm --gpus=2 --name x -e A=b localhost:5000/my/vllm:1 Qwen/Qwen3-8B -tp 2 --max-model-len 8192",
            Form::Docker,
        ),
        (
            "podman run --device nvidia.com/gpu=0 --device nvidia.com/gpu=1 --entrypoint /bin/bash docker.io/vllm/vllm-openai -c 'vllm serve Qwen/Qwen3-8B -tp 2 --max-model-len 8192'",
            Form::Docker,
        ),
        (
            "```bash\nvllm serve Qwen/Qwen3-8B -tp 2 \\\n  --max-model-len 8192\n```\n",
            Form::Command,
        ),
        (
            "version: \"3\"\nservices:\n  v:\n    image: vllm/vllm-openai:latest\n    devices: [nvidia.com/gpu=0, nvidia.com/gpu=1]\n    command: --model Qwen/Qwen3-8B --tensor-parallel-size 2 --max-model-len ${LEN:-8192}\n",
            Form::Compose,
        ),
        (
            "kind: Pod\nspec:\n  containers:\n  - name: c\n    image: vllm/vllm-openai:latest\n    command: [python3, -m, vllm.entrypoints.openai.api_server]\n    args: [--model, Qwen/Qwen3-8B, --port, \"${PORT}\", -tp=2, --max-model-len=8192]\n    resources: {limits: {nvidia.com/gpu: \"${N}\"}}\n",
            Form::Kubernetes,
        ),
        (
            "docker run --gpus 2 rocm/x:latest vllm serve Qwen/Qwen3-8B -tp 2 --max-model-len 8192",
            Form::Docker,
        ),
        (COMPOSE, Form::Compose),
        (MANIFEST, Form::Kubernetes),
        (
            r#"{"apiVersion":"v1","kind":"List","items":[{"kind":"Pod","metadata":{"name":"p"},"spec":{"containers":[{"name":"c","image":"vllm/vllm-openai","args":["--model=Qwen/Qwen3-8B","-tp=2","--max-model-len","8192"],"resources":{"requests":{"nvidia.com/gpu":2}}}]}}]}"#,
            Form::Kubernetes,
        ),
        (
            "image:\n  repository: vllm/vllm-openai\n  tag: v0.33.0\n  command: [vllm, serve, Qwen/Qwen3-8B, -tp, \"2\", --max-model-len, \"8192\"]\nresources:\n  limits: {nvidia.com/gpu: 2}\ngpuModels: [NVIDIA-L4]\n",
            Form::Chart,
        ),
        (
            "servingEngineSpec:\n  modelSpec:\n  - name: q\n    repository: vllm/vllm-openai\n    tag: v0.33.0\n    modelURL: Qwen/Qwen3-8B\n    requestGPU: 2\n    vllmConfig:\n      tensorParallelSize: 2\n      maxModelLen: 8192\n      enablePrefixCaching: true\n      extraArgs: [--seed, \"7\"]\n",
            Form::ProductionStack,
        ),
        (
            "apiVersion: serving.kserve.io/v1beta1\nkind: InferenceService\nmetadata: {name: q}\nspec:\n  predictor:\n    model:\n      modelFormat: {name: huggingface}\n      args: [--model_name=q, --model_id=Qwen/Qwen3-8B, --tensor-parallel-size=2, --max-model-len=8192]\n      resources: {limits: {nvidia.com/gpu: \"2\"}}\n",
            Form::Kserve,
        ),
        (
            "apiVersion: serving.kserve.io/v1alpha2\nkind: LLMInferenceService\nmetadata: {name: q}\nspec:\n  model: {uri: \"hf://Qwen/Qwen3-8B\", name: q}\n  parallelism: {tensor: 2}\n  template:\n    containers:\n    - name: main\n      image: vllm/vllm-openai:v0.33.0\n      env: [{name: VLLM_ADDITIONAL_ARGS, value: \"--max-model-len 8192\"}]\n      resources: {limits: {nvidia.com/gpu: \"2\"}}\n",
            Form::Kserve,
        ),
        (
            "resources:\n  accelerators: {L4: 2}\nenvs:\n  MODEL: Qwen/Qwen3-8B\nsetup: pip install vllm\nrun: |\n  conda activate vllm\n  vllm serve $MODEL -tp $SKYPILOT_NUM_GPUS_PER_NODE \\\n    --max-model-len 8192\n",
            Form::SkyPilot,
        ),
        (
            "# made by hand\n[Unit]\nDescription=vLLM\n[Service]\nEnvironment=\"CUDA_VISIBLE_DEVICES=0,1\" N=8192\nExecStart=/opt/vllm/bin/vllm serve Qwen/Qwen3-8B \\\n    -tp 2 \\\n# why\n    --max-model-len ${N}\n[Install]\nWantedBy=multi-user.target\n",
            Form::Systemd,
        ),
        (
            "[Container]\nImage=docker.io/vllm/vllm-openai:v0.33.0\nAddDevice=nvidia.com/gpu=0\nAddDevice=nvidia.com/gpu=1\nExec=Qwen/Qwen3-8B -tp 2 \"--max-model-len\" 8192\n",
            Form::Quadlet,
        ),
    ] {
        let imported = get(text);
        assert_eq!(imported.form, form, "{text}");
        assert_eq!(imported.command.model, "Qwen/Qwen3-8B", "{text}");
        assert_eq!(
            value(&imported, "tensor_parallel_size").as_deref(),
            Some("2"),
            "{text}"
        );
        assert_eq!(
            value(&imported, "max_model_len").as_deref(),
            Some("8192"),
            "{text}"
        );
        assert!(
            imported.command.unknown.is_empty(),
            "{:?}",
            imported.command.unknown
        );
        let scenario = scenario(&imported);
        assert_eq!(scenario.hardware.gpus, 2, "{text}");
        assert_eq!(scenario.get("defaults").as_deref(), Some("vllm"));
    }
}

#[test]
fn version_image_and_gpu_are_taken() {
    let imported = get(MANIFEST);
    assert_eq!(imported.vllm_version.unwrap().to_string(), "0.11.2");
    assert_eq!(imported.gpu.unwrap().name, "H100 SXM");
    assert_eq!(imported.gpus, Some(2));
    assert_eq!(imported.place, "container `server` of Deployment/llama");
    let scenario_ = scenario(&imported);
    assert_eq!(scenario_.vllm_version.to_string(), "0.11.2");
    assert_eq!(scenario_.deploy.image, None, "vLLM's own image says nothing");
    let own = get("docker run --gpus all registry.example/vllm:v0.33.0-cu130 --model Qwen/Qwen3-8B");
    assert_eq!(own.vllm_version.unwrap().to_string(), "0.33.0");
    assert_eq!(own.gpus, None);
    assert_eq!(
        scenario(&own).deploy.image.as_deref(),
        Some("registry.example/vllm:v0.33.0-cu130")
    );
    let mended = get("docker run --gpus all vllm/vllm-openai:v0.10.1.1 --model Qwen/Qwen3-8B");
    assert_eq!(mended.vllm_version.unwrap().to_string(), "0.10.1.1");
    assert_eq!(scenario(&mended).deploy.image, None, "vLLM's own image");
    let compose = get(COMPOSE);
    assert_eq!((compose.gpus, compose.place.as_str()), (Some(2), "service `llm`"));
    assert_eq!(compose.vllm_version.unwrap().to_string(), "0.11.2");
}

#[test]
fn what_is_not_modelled_is_kept_and_listed() {
    let imported = get(COMPOSE);
    assert_eq!(
        imported.command.engine.vllm_args,
        [(
            "--speculative-config".to_owned(),
            Some(r#"{"method": "ngram", "num_speculative_tokens": 3}"#.to_owned())
        )]
    );
    let imported = get("vllm serve Qwen/Qwen3-8B --seed 7 --enable-auto-tool-choice --nope 3 --swap-space 4");
    assert_eq!(
        imported.command.unmodelled,
        ["--seed", "--enable-auto-tool-choice"]
    );
    let unknown: Vec<&str> = imported
        .command
        .unknown
        .iter()
        .map(|e| e.field.as_str())
        .collect();
    assert_eq!(unknown, ["--nope", "--swap-space"]);
    assert_eq!(imported.command.engine.vllm_args.len(), 4);
}

#[test]
fn what_only_the_machine_knows_is_left_out_and_said() {
    let imported =
        get("vllm serve Qwen/Qwen3-8B --enforce-eager $MORE --port $PORT --max-num-seqs=${N} --dtype auto");
    assert_eq!(
        imported.words,
        ["Qwen/Qwen3-8B", "--enforce-eager", "--dtype", "auto"]
    );
    let notes = imported.notes.join("\n");
    for part in ["$MORE", "--port $PORT", "--max-num-seqs $N"] {
        assert!(notes.contains(part), "{notes}");
    }
    for text in [
        "vllm serve $MODEL --port 80",
        "vllm serve --model=${MODEL:?set it}",
        "docker run vllm/vllm-openai --model $(cat model)",
        "kind: Pod\nspec: {containers: [{image: vllm/vllm-openai, args: [--model, \"${MODEL}\"]}]}",
    ] {
        assert!(
            matches!(read(text), Err(ImportError::UnsetModel { .. })),
            "{text}"
        );
    }
    let secret = get(
        "docker run -e HF_TOKEN=hf_secret vllm/vllm-openai --model Q/M --api_key sk-secret more-secret --hf-token=hf_secret --port 1",
    );
    assert!(!format!("{secret:?}").contains("secret\""), "{secret:?}");
    assert_eq!(secret.words, ["--model", "Q/M", "--port", "1"]);
    assert_eq!(secret.notes.len(), 2, "{:?}", secret.notes);
}

#[test]
fn several_are_named() {
    let two = "services:\n  a: {image: vllm/vllm-openai, command: [--model, Q/A]}\n  b: {image: vllm/vllm-openai, command: [--model, Q/B]}\n";
    let imported = get(two);
    assert_eq!(imported.command.model, "Q/A");
    assert!(imported.notes[0].contains("service `b`"), "{:?}", imported.notes);
    let imported = get("vllm serve Q/A &\n\nvllm serve Q/B &\n");
    assert!(imported.notes[0].contains("line 3"), "{:?}", imported.notes);
}

#[test]
fn a_shells_grammar_is_read() {
    // The flag takes many words, so what was split shows.
    for (text, words) in [
        (r#"$S 'a b' "c\"d" e\ f ''"#, &["a b", "c\"d", "e f", ""][..]),
        (r#"$S x=$'a\'b' "$@" # c"#, &["x=a'b"]),
        ("A='x y'; $S $A \"$A\" ${A}z", &["x", "y", "x y", "x", "yz"]),
        ("A=m\nB=${A}-${C:-d}\n$S $B ${E-f}", &["m-d", "f"]),
        (
            "A=(1 '2 3'); A+=(4)\n$S \"${A[@]}\" \"${A}\"",
            &["1", "2 3", "4", "1"],
        ),
        ("cat <<EOF\nvllm serve no\nEOF\n$S m", &["m"]),
        ("$S m 2>/dev/null >log x <in", &["m", "x"]),
        ("$S m \\\n  x \\\n\nvllm-not", &["m", "x"]),
        ("( cd x && $S m y {a} )", &["m", "y", "{a}"]),
        ("if true; then $S m; fi", &["m"]),
        (r#"$S '{"a": ["b"]}' "\$x""#, &[r#"{"a": ["b"]}"#, "$x"]),
        ("$S m `\n \"{`\"a`\": 1}\" 'it''s'", &["m", r#"{"a": 1}"#, "it's"]),
        ("$S m ^\n \"{\\\"a\\\": 1}\" it's", &["m", r#"{"a": 1}"#, "it's"]),
    ] {
        let text = text.replace("$S", "vllm serve Q/M --served-model-name");
        assert_eq!(get(&text).words[2..], *words, "{text}");
    }
}

#[test]
fn errors_name_what_was_looked_for_and_where() {
    for (text, code, parts) in [
        ("", "import-empty", &[][..]),
        ("# only\n\n", "import-empty", &[]),
        ("hello world", "import-no-vllm", &["vllm serve", "`hello`"]),
        (
            "docker run --gpus all ubuntu bash",
            "import-no-vllm",
            &["`docker`"],
        ),
        ("vllm bench serve --model x", "import-no-vllm", &["`vllm`"]),
        ("vllm serve \"x", "import-shell", &["line 1", "not closed"]),
        (
            "services:\n  db: {image: postgres}\n",
            "import-no-vllm",
            &["services", "`db`", "postgres"],
        ),
        (
            "kind: Service\nmetadata: {name: x}\n",
            "import-no-vllm",
            &["no containers", "Service/x"],
        ),
        (
            "kind: Pod\nmetadata: {name: x}\nspec: {containers: [{name: c, image: nginx}]}\n",
            "import-no-vllm",
            &["Pod/x", "`c`", "nginx"],
        ),
        ("a: [1\n", "import-yaml", &["line 1"]),
        ("image: {{ .Values.image }}\nx: 1\n", "import-yaml", &["template"]),
        (
            "[Service]\nExecStart=/bin/true\n",
            "import-no-vllm",
            &["ExecStart", "/bin/true"],
        ),
        ("[Container]\nImage=nginx\n", "import-no-vllm", &["nginx"]),
        (
            "vllm serve Q/M --max-num-seqs many",
            "import-command",
            &["--max-num-seqs", "line 1"],
        ),
        (
            "profile_version: 1\nmodel: {id: x}\n",
            "import-profile",
            &["profile"],
        ),
        (
            "{\"schema\": \"vllm-wizard/plan/v1\"}",
            "import-scenario",
            &["plan"],
        ),
        ("vllm serve a\0b", "import-not-text", &[]),
    ] {
        let error = read(text).expect_err(text);
        let message = error.to_string();
        assert_eq!(error.code(), code, "{text}: {message}");
        for part in parts {
            assert!(message.contains(part), "{part}: {message}");
        }
    }
    let large = "x ".repeat(1 << 20);
    assert_eq!(read(&large).unwrap_err().code(), "import-too-large");
}

#[test]
fn words_that_a_shell_split_are_read() {
    let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    for text in [
        "vllm serve Q/M --port 1",
        "VLLM_USE_V1=1 CUDA_VISIBLE_DEVICES=0 vllm serve Q/M --port 1",
        "docker run --gpus all -p 8000:8000 vllm/vllm-openai:v0.33.0 --model Q/M --port 1",
        "Q/M --port 1",
        "serve Q/M --port 1",
    ] {
        let imported = read_words(&words(text)).unwrap();
        assert_eq!(
            (imported.command.model.as_str(), imported.command.engine.port),
            ("Q/M", Some(1)),
            "{text}"
        );
    }
}

#[test]
fn hostile_sizes_end_soon() {
    for text in [
        "vllm serve $( ".repeat(10_000),
        "vllm serve ${ ".repeat(10_000),
        "`".repeat(100_001),
        "A=$A$A$A$Ax\n".repeat(10_000) + "vllm serve $A",
        "A+=(\"${A[@]}\" x)\n".repeat(10_000),
        format!("vllm serve m {}", "--nope ".repeat(9000)),
        "sh -c 'sh -c x'\n".repeat(10_000),
        format!(
            "services:\n a:\n  image: vllm\n  command: {}",
            "${A:-".repeat(20_000)
        ),
        format!(
            "kind: Pod\nspec:\n  containers:\n{}",
            "  - {image: x, env: [{name: a}]}\n".repeat(9000)
        ),
        format!("[Service]\n{}", "Environment=A=$A\n".repeat(10_000)),
        "[".repeat(200_000),
        "{a: ".repeat(200_000),
    ] {
        let _ = read(&text);
    }
    let many = (0..20_000)
        .map(|i| format!("A{i}=x"))
        .collect::<Vec<_>>()
        .join("\n");
    assert!(read(&format!("{many}\nvllm serve m")).is_ok());
    let flags = read(&format!("vllm serve m {}", "--config a ".repeat(100))).unwrap();
    assert_eq!(flags.remarks().len(), 41);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_panics(text in any::<String>(), bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = read(&text);
        let _ = read(&String::from_utf8_lossy(&bytes));
        let _ = read(&format!("vllm serve {text}"));
        let _ = read(&format!("docker run {text} vllm/vllm-openai {text}"));
        let _ = read(&format!("services:\n  a: {text}"));
        let _ = read(&format!("[Service]\nExecStart=vllm serve {text}"));
        let _ = read_words(&[text.clone(), "vllm".to_owned(), "serve".to_owned(), text]);
    }

    #[test]
    fn no_cut_or_changed_file_panics(file in 0..3_usize, at in 0..1500_usize, cut in 0..9_usize, text in "[-\\[\\]{}:#&*!|>'\"%@`$()\\\\ \n\ta0]{0,6}") {
        let file = [MANIFEST, COMPOSE, SCRIPT][file];
        let at = at % file.len();
        let end = (at + cut).min(file.len());
        let _ = read(&file[..at]);
        let _ = read(&format!("{}{}{}", &file[..at], text, &file[end..]));
    }
}
