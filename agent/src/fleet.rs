//! `fleet`: replicas, GPUs and money for a rate of requests.
use crate::{
    cli::FleetArgs,
    error::{Exit, ExpectedError},
    explore::Asked,
    output::{self, Screen, Tone},
};
use planner::{
    bounds,
    plan::figure,
    recommend::{
        self, Counted, Demand, Fleet, FleetReport, HOURS_PER_MONTH, Offer, Way, fleets, routing, simulated,
        ways,
    },
    share,
};

/// A month in seconds, as clouds count it.
const MONTH: f64 = HOURS_PER_MONTH * 3600.0;

/// `fleet`.
pub(crate) fn run(args: &FleetArgs) -> Result<Exit, ExpectedError> {
    let tried = &args.tried;
    let asked = Asked::read(tried)?;
    let demand = demand(args, &asked)?;
    let api = args.api_price.as_deref().map(api_price).transpose()?;
    let offers = asked.offers(1);
    let counted = Counted {
        demand,
        node: asked.gpus,
        change_formats: tried.allow_fp8,
    };
    let found = fleets(&asked.scenario, &offers, &asked.goal, &counted);
    let report = Report {
        asked: &asked,
        counted,
        ways: found.first().map_or_else(Vec::new, |first| {
            ways(&asked.scenario, &offers, &asked.goal, first, &counted)
        }),
        demand,
        offers: &offers,
        currency: &tried.goal.currency,
        api,
        screen: Screen::of_stdout(),
    };
    let rows = report.rows(&found);
    if args.json {
        output::answer(&report.json(&rows))?;
    } else {
        output::answer(&report.text(&rows, args.top))?;
    }
    Ok(if found.is_empty() {
        Exit::DoesNotFit
    } else {
        Exit::Ok
    })
}

fn demand(args: &FleetArgs, asked: &Asked) -> Result<Demand, ExpectedError> {
    let average_milli = asked.scenario.workload.rate_milli().ok_or_else(|| {
        ExpectedError::usage("--request-rate is missing")
            .help("Give the requests of an average second, such as `--request-rate 20`.")
    })?;
    let peak_milli = match &args.peak {
        None => asked.scenario.workload.peak_rate_milli.unwrap_or(average_milli),
        Some(peak) => {
            let times = bounds::parse_decimal("peak", peak)
                .ok()
                .filter(|times| (1000..=1_000_000).contains(times));
            let times = times.ok_or_else(|| {
                ExpectedError::usage(format!(
                    "--peak: expected 1 to 1000 times the average, got {peak:?}"
                ))
            })?;
            average_milli.saturating_mul(times) / 1000
        }
    };
    Ok(Demand {
        average_milli,
        peak_milli: peak_milli.max(average_milli),
        spare: args.spare,
        load_percent: args.load,
    })
}

/// Of a million tokens of prompts and of answers.
fn api_price(text: &str) -> Result<(f64, f64), ExpectedError> {
    let wrong = || {
        ExpectedError::usage(format!(
            "--api-price: expected two prices such as 0.10,0.30, got {text:?}"
        ))
    };
    let (prompts, answers) = text.split_once(',').ok_or_else(wrong)?;
    let price = |text: &str| {
        text.trim()
            .parse::<f64>()
            .ok()
            .filter(|price| (0.0..1e9).contains(price))
    };
    price(prompts).zip(price(answers)).ok_or_else(wrong)
}

struct Report<'a> {
    asked: &'a Asked,
    counted: Counted,
    /// Beside the first.
    ways: Vec<Way>,
    demand: Demand,
    offers: &'a [Offer],
    currency: &'a str,
    api: Option<(f64, f64)>,
    screen: Screen,
}

impl Report<'_> {
    /// One for each kind of GPU, or for each number of GPUs of the only one.
    fn rows<'f>(&self, found: &'f [Fleet]) -> Vec<&'f Fleet> {
        if self.asked.kinds.len() == 1 {
            return found.iter().collect();
        }
        recommend::by_kind(found, self.offers, |fleet| fleet.replica.offer)
    }

    fn offer(&self, fleet: &Fleet) -> String {
        let offer = self.offers.get(fleet.replica.offer).map(ToString::to_string);
        output::printable(&offer.unwrap_or_default())
    }

    /// What the same tokens cost at the other price, for a month.
    fn api_month(&self) -> Option<f64> {
        let (prompts, answers) = self.api?;
        let load = &self.asked.scenario.workload;
        let request = (f64::from(load.prompt()) * prompts + f64::from(load.generated()) * answers) / 1e6;
        Some(request * per_second(self.demand.average_milli) * MONTH)
    }

    fn text(&self, rows: &[&Fleet], most: usize) -> String {
        let load = &self.asked.scenario.workload;
        let (average, peak) = (self.demand.average_milli, self.demand.peak_milli);
        let mut parts = vec![self.screen.paint(
            Tone::Strong,
            &format!(
                "{}, {} + {} tokens, {} requests a second, {} at peak, {} spare, vLLM {}",
                output::printable(&self.asked.scenario.model.id),
                load.prompt(),
                load.generated(),
                figure(per_second(average)),
                figure(per_second(peak)),
                self.demand.spare,
                self.asked.scenario.vllm_version
            ),
        )];
        let Some(first) = rows.first() else {
            parts.push(
                "No GPU of those that were tried serves a single request within the limits on one node."
                    .to_owned(),
            );
            return parts.join("\n\n");
        };
        parts.push(self.table(rows, most));
        parts.push(self.first(first));
        if !self.ways.is_empty() {
            let mut lines = vec![self.screen.paint(Tone::Strong, "Other ways")];
            let reasons = self.ways.iter().map(|way| output::printable(&way.reason));
            lines.extend(reasons.map(|reason| self.screen.wrap(&reason, 2)));
            parts.push(lines.join("\n"));
        }
        parts.push(self.screen.wrap(
            &format!(
                "{} Files for the replica: `generate` with its flags; k8s-autoscale.yaml scales it by the requests that wait.",
                self.demand.said()
            ),
            0,
        ));
        parts.join("\n\n")
    }

    fn table(&self, rows: &[&Fleet], most: usize) -> String {
        let priced = rows.iter().any(|row| row.price_per_hour.is_some());
        let mut table = self.screen.table();
        let mut head = [" replica", "layout", "req/s", "replicas", "GPUs", "nodes", "load"]
            .map(str::to_owned)
            .to_vec();
        if priced {
            head.push(format!("{}/month", self.currency));
            head.push(format!("{}/M out", self.currency));
        }
        table.add_row(head);
        table.align_right(&[2, 3, 4, 5, 6, 7, 8]);
        for row in rows.iter().take(most) {
            let mut cells = vec![
                format!(" {}", self.offer(row)),
                row.replica.layout.to_string(),
                figure(per_second(row.capacity_milli)),
                row.replicas.to_string(),
                row.total_gpus.to_string(),
                row.nodes.to_string(),
                format!("{:.0} %", row.utilization(&self.demand) * 100.0),
            ];
            if priced {
                let money = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), figure);
                cells.push(money(row.price_per_month()));
                cells.push(money(row.cost_per_million));
            }
            table.add_row(cells);
        }
        format!("{}{}", table.text(), output::more(rows.len(), most))
    }

    fn first(&self, first: &Fleet) -> String {
        let mut lines = vec![self.screen.paint(
            Tone::Strong,
            &format!(
                "First: {} replicas of {}, {}",
                first.replicas,
                self.offer(first),
                first.replica.layout
            ),
        )];
        lines.push(self.screen.wrap(&first.said(&self.demand), 2));
        let Self { asked, offers, .. } = self;
        let routing = routing(&asked.scenario, offers, &asked.goal, first, &self.counted);
        if let Some(routing) = routing {
            lines.push(self.screen.wrap(&routing, 2));
        }
        if let Some(speed) = &first.replica.speed {
            let simulated = simulated(&self.asked.goal, &first.replica);
            if !simulated.is_empty() {
                let share = format!(
                    "At {} % of that rate: {}",
                    self.demand.load_percent,
                    simulated.trim()
                );
                lines.push(self.screen.wrap(&share, 2));
            }
            lines.push(self.screen.wrap(
                &format!(
                    "At that rate, about: TTFT {} ms,{} end to end {} ms.",
                    figure(speed.ttft_ms.estimate),
                    speed
                        .tpot_ms
                        .map_or_else(String::new, |tpot| format!(" TPOT {} ms,", figure(tpot.estimate))),
                    figure(speed.end_to_end_ms.estimate)
                ),
                2,
            ));
        }
        if let (Some(month), Some(tokens)) = (first.price_per_month(), first.cost_per_million_tokens) {
            lines.push(self.screen.wrap(
                &format!(
                    "{0} {1} a month; {0} {2} for a million tokens, prompts and answers alike, at the average rate.",
                    self.currency,
                    figure(month),
                    figure(tokens)
                ),
                2,
            ));
            if let Some(api) = self.api_month() {
                let even = month / api * per_second(self.demand.average_milli);
                lines.push(self.screen.wrap(
                    &format!(
                        "The same tokens at the other price: {} {} a month; even at {} requests a second with these replicas.",
                        self.currency,
                        figure(api),
                        figure(even)
                    ),
                    2,
                ));
            }
        }
        lines.join("\n")
    }

    fn json(&self, rows: &[&Fleet]) -> String {
        let report = FleetReport {
            scenario: &share::scenario_json(&self.asked.scenario),
            demand: &self.counted.demand,
            offers: self.offers,
            ways: &self.ways,
            currency: self.currency,
            api_month: self.api_month(),
        };
        report.json(rows)
    }
}

fn per_second(milli: u64) -> f64 {
    // Rates are bounded far below what a double holds exactly.
    u32::try_from(milli).map_or(f64::MAX, f64::from) / 1000.0
}
