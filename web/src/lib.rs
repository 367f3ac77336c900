//! The page over `planner`: a client-side Leptos app. It knows HTML and no arithmetic; every figure is planner's.
#![allow(
    unreachable_pub,
    reason = "`#[component]` writes `pub` into what it generates"
)]
mod app;
mod browser;
mod chart;
mod code_view;
mod controls;
mod effects;
mod lean;
mod panels;
mod state;
mod text;

pub mod sorry;

pub use app::App;
