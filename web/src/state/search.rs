//! What somebody wants of a deployment, and the search for it: in slices, so that the page goes on between two.
use super::{AppState, derive::hardware_line};
use crate::{
    browser::{self, Timer},
    lean::effect,
    text,
};
use leptos::prelude::*;
use planner::{
    Scenario, bounds,
    gpu::{self, GpuSpec},
    plan::Hardware,
    recommend::{self, Answer, Found, Goal, NODE, NODES, Objective, Offer, Price, SPARE, Search, Slo},
    share::{self, Ignored},
};
use std::sync::Arc;

/// Layouts between two looks at the clock.
const LAYOUTS: usize = 20;

/// The most characters of a currency.
pub(crate) const CURRENCY: usize = 8;

/// Begins the key of the price of one kind of GPU.
const OF_KIND: &str = "price.";

/// What is wanted, as typed. A text that is no number is not used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wishes {
    /// What matters most; what the load's mode asks for where nobody said.
    pub(crate) objective: Option<Objective>,
    /// FP8 weights and cache may be tried.
    pub(crate) formats: bool,
    /// Of a GPU for an hour, where its kind has no price of its own.
    pub(crate) price: String,
    /// What prices are counted in.
    pub(crate) currency: String,
    /// Replicas of a fleet that may fail.
    pub(crate) spare: String,
    /// Prices of one kind of GPU.
    pub(crate) prices: Vec<(String, String)>,
}

impl Default for Wishes {
    fn default() -> Self {
        Self {
            objective: None,
            formats: false,
            price: String::new(),
            currency: "USD".to_owned(),
            spare: SPARE.to_string(),
            prices: Vec::new(),
        }
    }
}

impl Wishes {
    /// What matters most for that scenario.
    pub(crate) fn objective(&self, scenario: &Scenario) -> Objective {
        let mode = scenario.workload.batching_mode;
        self.objective.unwrap_or_else(|| Objective::of(mode))
    }

    /// What is better for that scenario.
    pub(crate) fn goal(&self, scenario: &Scenario) -> Goal {
        Goal {
            objective: self.objective(scenario),
            slo: Slo::of(&scenario.workload),
        }
    }

    /// Replicas that may fail: what was typed, else one.
    pub(crate) fn spare(&self) -> u32 {
        spare(&self.spare).unwrap_or(SPARE)
    }

    /// Whether a text is a number of spare replicas.
    pub(crate) fn is_spare(text: &str) -> bool {
        spare(text).is_some()
    }

    /// Whether a text is a price.
    pub(crate) fn is_price(text: &str) -> bool {
        price(text).is_some()
    }

    /// Sets the price of one kind of GPU; none where the text is empty.
    pub(crate) fn set_price(&mut self, name: &str, text: String) {
        self.prices.retain(|(kind, _)| kind != name);
        if !text.trim().is_empty() {
            self.prices.push((name.to_owned(), text));
        }
    }

    /// As a link has them: what is not as at first. A text that is no price is left out.
    pub(crate) fn pairs(&self) -> Vec<(String, String)> {
        let fresh = Self::default();
        let mut pairs = Vec::new();
        let mut add = |key: &str, value: &str, differs: bool| {
            if differs {
                pairs.push((key.to_owned(), value.to_owned()));
            }
        };
        add(
            "objective",
            self.objective.map_or("", Objective::name),
            self.objective.is_some(),
        );
        add("fp8", "true", self.formats);
        add("currency", &self.currency, self.currency != fresh.currency);
        add("spare", self.spare.trim(), self.spare() != SPARE);
        add("price", self.price.trim(), Self::is_price(&self.price));
        for (kind, text) in &self.prices {
            add(&format!("{OF_KIND}{kind}"), text.trim(), Self::is_price(text));
        }
        pairs
    }

    /// Those of a link, and what of them is not understood.
    pub(crate) fn of(pairs: Vec<(String, String)>) -> (Self, Vec<Ignored>) {
        let mut wishes = Self::default();
        let mut ignored = Vec::new();
        for (key, value) in pairs {
            let kind = key.strip_prefix(OF_KIND).and_then(gpu::find);
            let objective = Objective::ALL.into_iter().find(|one| one.name() == value);
            let price = Self::is_price(&value);
            match (key.as_str(), kind) {
                ("objective", _) if objective.is_some() => wishes.objective = objective,
                ("fp8", _) if value == "true" => wishes.formats = true,
                ("currency", _) if value.chars().count() <= CURRENCY => wishes.currency = value,
                ("spare", _) if Self::is_spare(&value) => wishes.spare = value,
                ("price", _) if price => wishes.price = value,
                (_, Some(kind)) if price => wishes.set_price(&kind.name, value),
                _ => ignored.push(Ignored {
                    key,
                    value: value.chars().take(40).collect(),
                    reason: text::NOT_A_WISH.to_owned(),
                }),
            }
        }
        (wishes, ignored)
    }

    /// What a GPU of that kind costs an hour.
    pub(crate) fn price(&self, name: &str) -> Option<Price> {
        let own = self.prices.iter().find(|(kind, _)| kind == name);
        own.and_then(|(_, text)| price(text))
            .or_else(|| price(&self.price))
    }
}

/// At most as many as `fleet` takes.
fn spare(text: &str) -> Option<u32> {
    text.trim().parse().ok().filter(|count| *count <= 1000)
}

fn price(text: &str) -> Option<Price> {
    bounds::parse_decimal("price", text.trim()).ok().map(Price)
}

/// What searches go by, beside the scenario.
#[derive(Clone, Copy)]
pub(crate) struct Seek {
    /// What is wanted.
    pub(crate) wishes: RwSignal<Wishes>,
    /// The scenario's hardware as a whole while an answer uses a part of it, and that part.
    pub(crate) whole: RwSignal<Option<(Hardware, Hardware)>>,
}

impl Seek {
    /// Nothing in particular.
    pub(crate) fn new() -> Self {
        Self {
            wishes: RwSignal::new(Wishes::default()),
            whole: RwSignal::new(None),
        }
    }
}

/// What `App` provides.
pub(crate) fn use_seek() -> Seek {
    expect_context()
}

/// Where is looked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Among {
    /// The layouts of the scenario's hardware.
    Here,
    /// The GPUs of the catalogue.
    Everywhere,
}

/// What is searched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Question {
    /// Where.
    pub(crate) among: Among,
    /// For what, with everything unset that answers set.
    pub(crate) scenario: Scenario,
    /// Which is better.
    pub(crate) wishes: Wishes,
}

impl Question {
    /// What the page asks now; nothing where the model is not understood.
    pub(crate) fn of(state: AppState, seek: Seek, among: Among) -> Option<Self> {
        let wishes = seek.wishes.get();
        state.scenario.with(|scenario| {
            scenario.model.spec.as_ref().ok()?;
            let mut scenario = recommend::left_open(scenario, wishes.formats);
            if let Some((whole, taken)) = seek.whole.get()
                && scenario.hardware == taken
            {
                scenario.hardware = whole;
            }
            Some(Self {
                among,
                scenario,
                wishes,
            })
        })
    }

    fn offers(&self, nodes: u32) -> Vec<Offer> {
        let price = |gpu: &GpuSpec| self.wishes.price(&gpu.name);
        match self.among {
            Among::Here => recommend::on_hardware(&self.scenario, price),
            Among::Everywhere => recommend::kinds()
                .flat_map(|gpu| recommend::fitting(gpu, NODE, nodes, price(gpu)))
                .collect(),
        }
    }

    /// The hardware, in words.
    pub(crate) fn hardware(&self) -> String {
        hardware_line(&self.scenario)
    }
}

/// What a search found.
#[derive(Debug)]
pub(crate) struct Answers {
    /// What was asked.
    pub(crate) question: Arc<Question>,
    /// Which is better.
    pub(crate) goal: Goal,
    /// The hardware that was tried.
    pub(crate) offers: Vec<Offer>,
    /// The answers.
    pub(crate) found: Found,
}

impl Answers {
    /// The best first: every layout of the scenario's hardware, or one row for each kind of GPU.
    pub(crate) fn rows(&self) -> Vec<&Answer> {
        match self.question.among {
            Among::Here => self.found.all.iter().collect(),
            Among::Everywhere => self.found.by_kind(&self.offers),
        }
    }

    /// As `vllm-wizard explore --csv` writes it.
    pub(crate) fn csv(&self) -> String {
        recommend::csv(
            &self.goal,
            &self.offers,
            &self.rows(),
            &self.question.wishes.currency,
        )
    }

    /// As `vllm-wizard explore --json` writes it.
    pub(crate) fn json(&self) -> String {
        self.found.json(
            &share::scenario_json(&self.question.scenario),
            &self.goal,
            &self.offers,
            &self.rows(),
            &self.question.wishes.currency,
        )
    }
}

/// A search that follows its question.
#[derive(Clone, Copy)]
pub(crate) struct Searched {
    /// What was found last.
    pub(crate) answers: RwSignal<Option<Arc<Answers>>>,
    /// Layouts that were judged so far, while it is under way.
    pub(crate) judged: RwSignal<Option<usize>>,
    timer: Timer,
}

impl Searched {
    /// Searches whenever the question has changed and nothing was changed for a moment. A change stops what is under way.
    pub(crate) fn new(question: Memo<Option<Arc<Question>>>) -> Self {
        let this = Self {
            answers: RwSignal::new(None),
            judged: RwSignal::new(None),
            timer: Timer::new(),
        };
        effect(move || match question.get() {
            None => {
                this.timer.stop();
                this.judged.set(None);
                this.answers.set(None);
            }
            Some(question) => {
                this.judged.set(Some(0));
                this.timer.start(150, move || this.begin(question, &NODES));
            }
        });
        this
    }

    fn begin(self, question: Arc<Question>, nodes: &'static [u32]) {
        let Some((first, more)) = nodes.split_first() else {
            return;
        };
        let goal = question.wishes.goal(&question.scenario);
        let search = Search::new(
            &question.scenario,
            question.offers(*first),
            goal,
            question.wishes.formats,
        );
        self.go_on(question, goal, search, more);
    }

    fn go_on(self, question: Arc<Question>, goal: Goal, mut search: Search, more: &'static [u32]) {
        let here = question.among == Among::Here;
        if !browser::slice(&mut || !search.step(LAYOUTS, here)) {
            self.judged.set(Some(search.layouts_judged()));
            return self
                .timer
                .start(0, move || self.go_on(question, goal, search, more));
        }
        let offers = search.offers().to_vec();
        let found = search.finish();
        if !here && !more.is_empty() && !found.best.first().is_some_and(Answer::serves) {
            return self.begin(question, more);
        }
        self.answers.set(Some(Arc::new(Answers {
            question,
            goal,
            offers,
            found,
        })));
        self.judged.set(None);
    }
}

/// The page's scenario as an answer has it.
pub(crate) fn taken(state: AppState, answers: &Answers, answer: &Answer) -> Option<Scenario> {
    let question = &answers.question;
    let mut scenario = state
        .scenario
        .with_untracked(|scenario| recommend::left_open(scenario, question.wishes.formats));
    let offer = answers.offers.get(answer.offer)?;
    if question.among == Among::Everywhere {
        scenario.hardware.interconnect = offer.interconnect;
        scenario.hardware.memory_used = offer.memory_used;
    }
    for (id, value) in answer.change(offer) {
        scenario.set(&id, &value).ok()?;
    }
    Some(scenario)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_is_no_number_is_not_used() {
        let wishes = Wishes {
            price: "2.5".to_owned(),
            prices: [("L4", "0.7"), ("T4", "x")]
                .map(|(kind, text)| (kind.to_owned(), text.to_owned()))
                .into(),
            ..Wishes::default()
        };
        assert_eq!(["2.5", "fast"].map(Wishes::is_price), [true, false]);
        let mut scenario = crate::state::presets::example();
        scenario.set("slo_ttft_ms", "499.5").unwrap();
        let slo = wishes.goal(&scenario).slo;
        assert_eq!(
            (slo.ttft_ms, slo.tpot_ms, slo.end_to_end_ms),
            (Some(500), None, None)
        );
        for (name, milli) in [("L4", 700), ("T4", 2500), ("H100 SXM", 2500)] {
            assert_eq!(wishes.price(name), Some(Price(milli)), "{name}");
        }
    }

    #[test]
    fn wishes_come_back_from_a_link() {
        let mut wishes = Wishes {
            objective: Some(Objective::Cost),
            formats: true,
            price: " 2.5".to_owned(),
            currency: "€".to_owned(),
            spare: "2".to_owned(),
            ..Wishes::default()
        };
        wishes.set_price("H100 SXM", "3".to_owned());
        wishes.set_price("L4", "cheap".to_owned());
        let link = share::with_wishes("s=1", &wishes.pairs());
        let (read, ignored) = Wishes::of(share::wishes_of(&link));
        wishes.price = "2.5".to_owned();
        wishes.prices.pop();
        assert_eq!((read, ignored), (wishes, Vec::new()), "{link}");
        assert_eq!(share::with_wishes("s=1", &Wishes::default().pairs()), "s=1");
        let wrong = "w.price=cheap&w.price.L4=-1&w.price.none=1&w.objective=fun&w.currency=bottlecaps&w.other=1&w.fp8=no&w.spare=-1";
        let (read, ignored) = Wishes::of(share::wishes_of(wrong));
        assert_eq!((read, ignored.len()), (Wishes::default(), 8));
    }

    #[test]
    fn an_answer_that_was_taken_leaves_the_question_as_it_is() {
        Owner::new().with(|| {
            let (state, seek) = (AppState::new(), Seek::new());
            state
                .scenario
                .update(|scenario| scenario.set("gpus", "8").unwrap());
            let ask = || Question::of(state, seek, Among::Here).unwrap();
            let question = ask();
            let goal = question.wishes.goal(&question.scenario);
            let offers = question.offers(1);
            let search = Search::new(&question.scenario, offers.clone(), goal, false);
            let answers = Answers {
                question: Arc::new(question.clone()),
                goal,
                offers,
                found: search.run(true),
            };
            for answer in answers.rows().into_iter().filter(|answer| answer.serves()) {
                super::super::actions::take_answer(state, seek, &answers, answer);
                assert_eq!(ask(), question);
                let layout = state
                    .plan
                    .with_untracked(|plan| recommend::Layout::of(plan, false));
                assert_eq!(layout, Some(answer.layout));
            }
            // Other hardware is another question.
            state
                .scenario
                .update(|scenario| scenario.set("gpus", "3").unwrap());
            assert_eq!(ask().scenario.hardware.gpus, 3);
        });
    }
}
