//! `explore`: which GPUs, how many and in which layout, ranked.
use crate::{
    cli::{ExploreArgs, TriedArgs},
    error::{Exit, ExpectedError},
    goal::{self, Prices},
    hardware_source,
    output::{self, Screen, Tone},
    scenario_source,
};
use planner::{
    Outcome, Scenario,
    gpu::{self, GpuSpec},
    plan::figure,
    recommend::{self, Answer, Found, Goal, Lost, NODE, NODES, Objective, Offer, Search},
    share,
};

/// Splits that lost, with their reasons.
const LOST: usize = 4;

/// `explore`.
pub(crate) fn run(args: &ExploreArgs) -> Result<Exit, ExpectedError> {
    let tried = &args.tried;
    let asked = Asked::read(tried)?;
    let (found, offers) = searched(&asked, tried.allow_fp8);
    let rows = if asked.kinds.len() == 1 || args.all {
        found.best.iter().collect()
    } else {
        found.by_kind(&offers)
    };
    let Some(first) = rows.first() else {
        return Err(nothing_to_try());
    };
    let (scenario, goal, currency) = (&asked.scenario, &asked.goal, &tried.goal.currency);
    if args.json {
        let question = share::scenario_json(scenario);
        output::answer(found.json(&question, goal, &offers, &rows, currency).trim_end())?;
    } else if args.csv {
        output::answer(recommend::csv(goal, &offers, &rows, currency).trim_end())?;
    } else {
        let view = View {
            goal: *goal,
            offers: &offers,
            currency,
            most: args.top,
            screen: Screen::of_stdout(),
        };
        output::answer(&view.text(scenario, &found, &rows))?;
    }
    Ok(match first.outcome {
        _ if first.serves() => Exit::Ok,
        Outcome::Unsupported if scenario.model.spec.is_err() => Exit::Unsupported,
        _ => Exit::DoesNotFit,
    })
}

/// What `explore` and `fleet` are asked.
pub(crate) struct Asked {
    pub(crate) scenario: Scenario,
    pub(crate) goal: Goal,
    /// The kinds of GPU to try.
    pub(crate) kinds: Vec<GpuSpec>,
    /// GPUs of a node.
    pub(crate) gpus: u32,
    /// Numbers of nodes, one after the other until the load is served.
    nodes: Vec<u32>,
    prices: Prices,
    /// The hardware is the scenario's own.
    own: bool,
}

impl Asked {
    pub(crate) fn read(args: &TriedArgs) -> Result<Self, ExpectedError> {
        let machine = &args.machine;
        let from_file = args.source.profile.is_some() || args.source.scenario.is_some();
        let named = machine.gpu.is_some() || machine.host.is_some() || machine.gpu_memory_gib.is_some();
        let own = named || from_file;
        let anywhere = || Ok(hardware_source::one(GpuSpec::clone(&gpu::gpus()[0])));
        let mut scenario = scenario_source::read_or(&args.source, machine, &args.fields, anywhere)?.scenario;
        if let Some(name) = &args.use_case {
            goal::put_use_case(name, &mut scenario, &args.fields)?;
        }
        let (goal, prices) = goal::read(&args.goal, &scenario.workload, Objective::Gpus)?;
        let counted = machine.host.is_some() || from_file || scenario.hardware.is_mixed();
        let given = |id: &str| args.fields.value(id).is_some() || counted;
        Ok(Self {
            kinds: kinds(args, own, &scenario)?,
            gpus: if given("gpus") {
                scenario.hardware.gpus
            } else {
                NODE
            },
            nodes: if given("nodes") {
                vec![scenario.hardware.nodes]
            } else {
                NODES.to_vec()
            },
            scenario,
            goal,
            prices,
            own,
        })
    }

    /// All kinds, up to so many nodes.
    pub(crate) fn offers(&self, nodes: u32) -> Vec<Offer> {
        let price = |gpu: &GpuSpec| self.prices.of(&gpu.name);
        if self.own {
            let mut own = self.scenario.clone();
            (own.hardware.gpus, own.hardware.nodes) = (self.gpus, nodes);
            return recommend::on_hardware(&own, price);
        }
        let of = |kind| recommend::fitting(kind, self.gpus, nodes, price(kind));
        self.kinds.iter().flat_map(of).collect()
    }
}

fn nothing_to_try() -> ExpectedError {
    ExpectedError::usage("nothing to try: the arguments that were given leave no layout of these GPUs").help(
        "Give fewer of --tensor-parallel-size, --pipeline-parallel-size and --data-parallel-size, or more --gpus.",
    )
}

/// Node by node more, until one serves.
fn searched(asked: &Asked, change_formats: bool) -> (Found, Vec<Offer>) {
    let mut last = (Found::default(), Vec::new());
    for &nodes in &asked.nodes {
        let offers = asked.offers(nodes);
        let keep_all = asked.kinds.len() == 1;
        let found = Search::new(&asked.scenario, offers.clone(), asked.goal, change_formats).run(keep_all);
        let serves = found.best.first().is_some_and(Answer::serves);
        last = (found, offers);
        if serves {
            break;
        }
    }
    last
}

/// The kinds of GPU to try: that of the machine, those that are named, or all that vLLM runs on.
fn kinds(args: &TriedArgs, own: bool, scenario: &Scenario) -> Result<Vec<GpuSpec>, ExpectedError> {
    if own {
        return Ok(vec![scenario.hardware.gpu.clone()]);
    }
    if args.among.is_empty() {
        return Ok(recommend::kinds().cloned().collect());
    }
    args.among
        .iter()
        .map(|name| goal::known("--among", name).cloned())
        .collect()
}

struct View<'a> {
    goal: Goal,
    offers: &'a [Offer],
    currency: &'a str,
    most: usize,
    screen: Screen,
}

impl View<'_> {
    fn text(&self, scenario: &Scenario, found: &Found, rows: &[&Answer]) -> String {
        let mut parts = vec![self.heading(scenario, found)];
        let serving: Vec<&Answer> = rows.iter().copied().filter(|row| row.serves()).collect();
        let shown = if serving.is_empty() { rows } else { &serving };
        parts.push(self.table(shown));
        if let Some(first) = shown.first() {
            parts.push(self.first(first, shown.get(1).copied()));
        }
        let lost = Lost::of(&self.goal, &found.all, LOST);
        if !lost.is_empty() {
            let mut table = self.screen.table();
            for lost in lost {
                table.add_row([format!(" {}", lost.layout), lost.reason]);
            }
            parts.push(format!("{}\n{}", self.strong("Others"), table.text()));
        }
        if let Some(speed) = rows.first().and_then(|row| row.speed.as_ref()) {
            let around = |ranged: planner::plan::Ranged| {
                let of = |end: f64| figure(end / ranged.estimate);
                format!("{} to {}", of(ranged.low), of(ranged.high))
            };
            let tpot = speed
                .tpot_ms
                .map_or_else(String::new, |tpot| format!(", TPOT {}", around(tpot)));
            parts.push(self.screen.wrap(
                &format!(
                    "Figures are estimates; four of five published runs lay within these multiples: tokens per second {}, TTFT {}{tpot}.",
                    around(speed.output_tok_per_s),
                    around(speed.ttft_ms),
                ),
                0,
            ));
        }
        parts.join("\n\n")
    }

    fn strong(&self, text: &str) -> String {
        self.screen.paint(Tone::Strong, text)
    }

    fn heading(&self, scenario: &Scenario, found: &Found) -> String {
        let load = &scenario.workload;
        let rate = scenario.get("request_rate").map_or_else(
            || format!("{} at once", load.concurrency),
            |rate| format!("{rate} requests a second"),
        );
        self.strong(&format!(
            "{}, {} + {} tokens, {rate}, vLLM {}: {} layouts judged",
            output::printable(&scenario.model.id),
            load.prompt_tokens,
            load.gen_tokens,
            scenario.vllm_version,
            found.judged
        ))
    }

    fn table(&self, rows: &[&Answer]) -> String {
        let priced = rows.iter().any(|row| row.price_per_hour.is_some());
        let mut table = self.screen.table();
        let mut head = vec![
            " GPUs".to_owned(),
            "layout".to_owned(),
            "verdict".to_owned(),
            "context".to_owned(),
            "tok/s".to_owned(),
            "per GPU".to_owned(),
            "TTFT ms".to_owned(),
            "TPOT ms".to_owned(),
        ];
        if priced {
            head.push(format!("{}/h", self.currency));
            head.push(format!("{}/M tok", self.currency));
        }
        table.add_row(head);
        table.align_right(&[3, 4, 5, 6, 7, 8, 9]);
        for row in rows.iter().take(self.most) {
            table.add_row(self.row(row, priced));
        }
        format!("{}{}", table.text(), output::more(rows.len(), self.most))
    }

    fn row(&self, row: &Answer, priced: bool) -> Vec<String> {
        let starts = row.outcome.starts();
        let dash = || "-".to_owned();
        let speed = |value: Option<f64>| value.map_or_else(dash, figure);
        let of = row.speed.as_ref();
        let mut cells = vec![
            format!(" {}", self.offer(row)),
            row.layout.to_string(),
            row.outcome.words().to_lowercase(),
            if starts {
                row.max_model_len.to_string()
            } else {
                dash()
            },
            speed(of.map(|speed| speed.output_tok_per_s.estimate)),
            speed(row.per_gpu()),
            speed(of.map(|speed| speed.ttft_ms.estimate)),
            speed(of.and_then(|speed| Some(speed.tpot_ms?.estimate))),
        ];
        if priced {
            cells.push(speed(row.price_per_hour));
            cells.push(speed(row.cost_per_million));
        }
        cells
    }

    fn offer(&self, row: &Answer) -> String {
        let offer = self.offers.get(row.offer).map(ToString::to_string);
        output::printable(&offer.unwrap_or_default())
    }

    fn first(&self, first: &Answer, second: Option<&Answer>) -> String {
        let (heading, why) = if first.serves() {
            ("First", recommend::won(&self.goal, self.offers, first, second))
        } else {
            ("Nothing serves this load", first.lacks(&self.goal))
        };
        let flags: Vec<String> = first
            .layout
            .change()
            .iter()
            .map(|(id, value)| match value.as_str() {
                "true" => format!("--{}", id.replace('_', "-")),
                value => format!("--{} {value}", id.replace('_', "-")),
            })
            .collect();
        let mut lines = vec![
            self.strong(&format!("{heading}: {}, {}", self.offer(first), first.layout)),
            self.screen.wrap(&why, 2),
        ];
        if first.serves() {
            lines.push(self.screen.wrap(&format!("Flags: {}", flags.join(" ")), 2));
        }
        lines.join("\n")
    }
}
