//! What follows the state, behind one box: Leptos compiles itself anew for every closure that it is given as a type.
use leptos::prelude::*;

/// Runs soon, and again when what it read has changed.
pub(crate) fn effect(run: impl FnMut() + 'static) {
    fn boxed(mut run: Box<dyn FnMut()>) {
        Effect::new(move |_: Option<()>| run());
    }
    boxed(Box::new(run));
}

/// A value that follows the state.
pub(crate) fn memo<T>(read: impl Fn() -> T + Send + Sync + 'static) -> Memo<T>
where
    T: PartialEq + Send + Sync + 'static,
{
    fn boxed<T>(read: Box<dyn Fn() -> T + Send + Sync>) -> Memo<T>
    where
        T: PartialEq + Send + Sync + 'static,
    {
        Memo::new(move |_| read())
    }
    boxed(Box::new(read))
}

/// In order, what is equal as it came. For some hundreds: a sort of std's is 4 kB of code for each type.
pub(crate) fn sorted<T>(items: impl IntoIterator<Item = T>, before: impl Fn(&T, &T) -> bool) -> Vec<T> {
    let mut out = Vec::new();
    for item in items {
        let at = out.partition_point(|other| !before(&item, other));
        out.insert(at, item);
    }
    out
}
