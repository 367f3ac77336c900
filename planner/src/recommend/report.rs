//! What a search found, for programs and for spreadsheets.
use super::{Answer, Demand, Fleet, Found, Goal, Lost, Offer, Way, lost, won};
use crate::{
    performance::{BoundBy, Ranged, short},
    plan::{Outcome, Plan, Remedy, Scenario},
    units::real,
};
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::fmt::Write as _;

/// The schema of the document.
pub const EXPLORE_SCHEMA: &str = "vllm-wizard/explore/v1";

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    scenario: &'a serde_json::Value,
    objective: &'static str,
    slo_ttft_ms: Option<u32>,
    slo_tpot_ms: Option<u32>,
    slo_e2e_ms: Option<u32>,
    slo_percentile: u32,
    currency: &'a str,
    layouts_judged: usize,
    reason: String,
    answers: Vec<Row<'a>>,
    others: Vec<Lost>,
}

#[derive(Serialize)]
struct Row<'a> {
    gpu: &'a str,
    gpus: u32,
    nodes: u32,
    total_gpus: u32,
    #[serde(serialize_with = "crate::json::fields")]
    change: Vec<(String, String)>,
    layout: String,
    outcome: Outcome,
    serves: bool,
    lacks: Option<String>,
    max_model_len: u32,
    output_tok_per_s: Option<Figure>,
    output_tok_per_s_per_gpu: Option<f64>,
    ttft_ms: Option<Figure>,
    tpot_ms: Option<Figure>,
    end_to_end_ms: Option<Figure>,
    simulated: Option<Simulated>,
    bound_by: Option<BoundBy>,
    price_per_hour: Option<f64>,
    cost_per_million_output_tokens: Option<f64>,
}

/// The times that so many of a hundred requests keep.
#[derive(Serialize)]
struct Simulated {
    percentile: u32,
    requests: u32,
    ttft_ms: f64,
    tpot_ms: f64,
    end_to_end_ms: f64,
}

#[derive(Serialize)]
struct Figure {
    estimate: f64,
    low: f64,
    high: f64,
}

impl From<Ranged> for Figure {
    fn from(ranged: Ranged) -> Self {
        Self {
            estimate: short(ranged.estimate),
            low: short(ranged.low),
            high: short(ranged.high),
        }
    }
}

impl<'a> Row<'a> {
    fn of(goal: &Goal, answer: &Answer, offer: &'a Offer) -> Self {
        let speed = answer.speed.as_ref();
        let starts = answer.outcome.starts();
        Self {
            gpu: &offer.gpu.name,
            gpus: offer.gpus,
            nodes: offer.nodes,
            total_gpus: answer.total_gpus,
            change: answer.change(offer),
            layout: answer.layout.to_string(),
            outcome: answer.outcome,
            serves: answer.serves(),
            lacks: (!answer.serves()).then(|| answer.lacks(goal)),
            max_model_len: if starts { answer.max_model_len } else { 0 },
            output_tok_per_s: speed.map(|speed| speed.output_tok_per_s.into()),
            output_tok_per_s_per_gpu: answer.per_gpu().map(short),
            ttft_ms: speed.map(|speed| speed.ttft_ms.into()),
            tpot_ms: speed.and_then(|speed| speed.tpot_ms).map(Into::into),
            end_to_end_ms: speed.map(|speed| speed.end_to_end_ms.into()),
            simulated: answer.tail.map(|tail| {
                let [ttft_ms, tpot_ms, end_to_end_ms] = tail.times_ms.map(short);
                Simulated {
                    percentile: tail.percentile,
                    requests: tail.requests,
                    ttft_ms,
                    tpot_ms,
                    end_to_end_ms,
                }
            }),
            bound_by: speed.map(|speed| speed.bound_by),
            price_per_hour: answer.price_per_hour.map(short),
            cost_per_million_output_tokens: answer.cost_per_million.map(short),
        }
    }
}

impl Answer {
    /// Everything that makes the question's scenario this answer, as [`crate::Scenario::set`] takes it.
    pub fn change(&self, offer: &Offer) -> Vec<(String, String)> {
        let mut change = offer.change();
        change.extend(self.layout.change());
        if offer.nodes > 1 && self.layout.pipeline_parallel_size == 1 {
            // A plan of several nodes has a stage on each, where nobody says otherwise.
            change.push(("pipeline_parallel_size".to_owned(), "1".to_owned()));
        }
        change
    }
}

/// Answers that a plan names beside its own.
const ALTERNATIVES: usize = 8;

impl Found {
    /// Tells the plan of the first answer that a search chose its layout, and what was ranked next. `open` is the
    /// question: what it sets the search did not choose.
    pub fn tell(&self, plan: &mut Plan, open: &Scenario, goal: &Goal, offers: &[Offer]) {
        let Some(first) = self.all.first() else { return };
        if let Some(args) = &mut plan.args {
            let whys = [
                ("tensor_parallel_size", Some(&mut args.tensor_parallel_size.why)),
                (
                    "pipeline_parallel_size",
                    Some(&mut args.pipeline_parallel_size.why),
                ),
                ("data_parallel_size", Some(&mut args.data_parallel_size.why)),
                (
                    "enable_expert_parallel",
                    Some(&mut args.enable_expert_parallel.why),
                ),
                ("kv_cache_dtype", Some(&mut args.kv_cache_dtype.why)),
                (
                    "quantization",
                    args.quantization.as_mut().map(|method| &mut method.why),
                ),
            ];
            for (id, why) in whys {
                if let Some(why) = why
                    && open.get(id).is_none()
                    && plan.scenario.get(id).is_some()
                {
                    "Chosen by the search.".clone_into(why);
                }
            }
        }
        let next = self.all.iter().skip(1).take(ALTERNATIVES);
        plan.alternatives = next
            .filter_map(|answer| {
                let offer = offers.get(answer.offer)?;
                Some(Remedy {
                    change: answer.change(offer),
                    label: format!("{offer}, {}", answer.layout),
                    outcome: answer.outcome,
                    effect: lost(goal, first, answer),
                })
            })
            .collect();
    }

    /// As `vllm-wizard/explore/v1`. `scenario` is the question as JSON; `rows` the answers to state, the best first.
    pub fn json(
        &self,
        scenario: &serde_json::Value,
        goal: &Goal,
        offers: &[Offer],
        rows: &[&Answer],
        currency: &str,
    ) -> String {
        let document = Document {
            schema: EXPLORE_SCHEMA,
            scenario,
            objective: goal.objective.name(),
            slo_ttft_ms: goal.slo.ttft_ms,
            slo_tpot_ms: goal.slo.tpot_ms,
            slo_e2e_ms: goal.slo.end_to_end_ms,
            slo_percentile: goal.slo.percentile.max(50),
            currency,
            layouts_judged: self.judged,
            reason: rows.first().map_or_else(String::new, |first| {
                won(goal, offers, first, rows.get(1).copied())
            }),
            answers: rows
                .iter()
                .filter_map(|answer| Some(Row::of(goal, answer, offers.get(answer.offer)?)))
                .collect(),
            others: Lost::of(goal, &self.all, 12),
        };
        let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
        text.push('\n');
        text
    }
}

/// What a count of replicas found, for programs.
#[derive(Clone, Copy, Debug)]
pub struct FleetReport<'a> {
    /// The question as JSON.
    pub scenario: &'a serde_json::Value,
    /// What comes in.
    pub demand: &'a Demand,
    /// The hardware that was tried.
    pub offers: &'a [Offer],
    /// Beside the first.
    pub ways: &'a [Way],
    /// What prices are counted in.
    pub currency: &'a str,
    /// What the same tokens cost elsewhere, for a month.
    pub api_month: Option<f64>,
}

impl FleetReport<'_> {
    /// As `vllm-wizard/fleet/v1`: those rows, the best first.
    pub fn json(&self, rows: &[&Fleet]) -> String {
        let rounded = |value: f64| (value * 10_000.0).round() / 10_000.0;
        let per_second = |milli: u64| real(milli) / 1000.0;
        let row = |fleet: &&Fleet| {
            let offer = self.offers.get(fleet.replica.offer)?;
            let change: Map<String, Value> = fleet
                .replica
                .change(offer)
                .into_iter()
                .map(|(id, value)| (id, Value::String(value)))
                .collect();
            Some(json!({
                "gpu": offer.gpu.name,
                "gpus_per_replica": fleet.replica.total_gpus,
                "layout": fleet.replica.layout.to_string(),
                "change": change,
                "capacity_req_per_s": per_second(fleet.capacity_milli),
                "replicas_for_average": fleet.for_average,
                "replicas_for_peak": fleet.for_peak,
                "replicas": fleet.replicas,
                "total_gpus": fleet.total_gpus,
                "nodes": fleet.nodes,
                "utilization": rounded(fleet.utilization(self.demand)),
                "price_per_month": fleet.price_per_month().map(rounded),
                "cost_per_million_output_tokens": fleet.cost_per_million.map(rounded),
                "cost_per_million_tokens": fleet.cost_per_million_tokens.map(rounded),
            }))
        };
        let document = json!({
            "schema": "vllm-wizard/fleet/v1",
            "scenario": self.scenario,
            "average_req_per_s": per_second(self.demand.average_milli),
            "peak_req_per_s": per_second(self.demand.peak_milli),
            "spare_replicas": self.demand.spare,
            "load_percent": self.demand.load_percent,
            "currency": self.currency,
            "api_price_per_month": self.api_month.map(rounded),
            "ways": self.ways.iter().map(|way| json!({
                "way": way.id,
                "favoured": way.favoured,
                "total_gpus": way.total_gpus,
                "reason": way.reason,
            })).collect::<Vec<_>>(),
            "fleets": rows.iter().filter_map(row).collect::<Vec<_>>(),
        });
        format!("{document:#}")
    }
}

/// As a table for spreadsheets: RFC 4180, each text in quotes.
pub fn csv(goal: &Goal, offers: &[Offer], rows: &[&Answer], currency: &str) -> String {
    let mut text = format!(
        "gpu,gpus,nodes,layout,outcome,serves,max_model_len,output_tok_per_s,output_tok_per_s_per_gpu,ttft_ms,tpot_ms,end_to_end_ms,{},{},lacks\r\n",
        csv_cell(&format!("price_per_hour ({currency})")),
        csv_cell(&format!("cost_per_million_output_tokens ({currency})")),
    );
    for answer in rows {
        let Some(offer) = offers.get(answer.offer) else {
            continue;
        };
        let row = Row::of(goal, answer, offer);
        let number = |value: Option<f64>| value.map_or_else(String::new, |value| value.to_string());
        let figure = |figure: &Option<Figure>| number(figure.as_ref().map(|figure| figure.estimate));
        let _ = write!(
            text,
            "{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}\r\n",
            csv_cell(row.gpu),
            row.gpus,
            row.nodes,
            csv_cell(&row.layout),
            csv_cell(row.outcome.words()),
            row.serves,
            row.max_model_len,
            figure(&row.output_tok_per_s),
            number(row.output_tok_per_s_per_gpu),
            figure(&row.ttft_ms),
            figure(&row.tpot_ms),
            figure(&row.end_to_end_ms),
            number(row.price_per_hour),
            number(row.cost_per_million_output_tokens),
            csv_cell(row.lacks.as_deref().unwrap_or_default()),
        );
    }
    text
}

/// A cell of a CSV file: in quotes, and what a spreadsheet would compute is made a text.
pub fn csv_cell(text: &str) -> String {
    let guard = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        "'"
    } else {
        ""
    };
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::csv_cell;

    #[test]
    fn a_spreadsheet_computes_no_name() {
        for (text, cell) in [
            ("H100 SXM", "\"H100 SXM\""),
            ("a \"b\", c", "\"a \"\"b\"\", c\""),
            ("=1+1", "\"'=1+1\""),
            ("@x", "\"'@x\""),
        ] {
            assert_eq!(csv_cell(text), cell);
        }
    }
}
