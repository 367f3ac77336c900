//! Keys, as a person presses them.

use crate::Res;
use chromiumoxide::{
    Page,
    cdp::browser_protocol::input::{DispatchKeyEventParams, DispatchKeyEventType},
    keys::get_key_definition,
};

/// Presses and lets go of a key such as `Tab`, `Escape`, `a` or `Control+Shift+z`.
pub async fn press(page: &Page, chord: &str) -> Res<()> {
    let (modifiers, name) = split(chord)?;
    let key = get_key_definition(name).ok_or_else(|| format!("there is no key `{name}`"))?;
    let text = key.text.or_else(|| (key.key.len() == 1).then_some(key.key));
    // With Control, Alt or Meta held a key types nothing.
    let text = text.filter(|_| modifiers & !SHIFT == 0);
    let mut event = DispatchKeyEventParams::builder()
        .key(key.key)
        .code(key.code)
        .modifiers(modifiers)
        .windows_virtual_key_code(key.key_code)
        .native_virtual_key_code(key.key_code);
    let up = event.clone().r#type(DispatchKeyEventType::KeyUp).build()?;
    event = match text {
        Some(text) => event.r#type(DispatchKeyEventType::KeyDown).text(text),
        None => event.r#type(DispatchKeyEventType::RawKeyDown),
    };
    page.execute(event.build()?).await?;
    page.execute(up).await?;
    Ok(())
}

const SHIFT: i64 = 8;

/// The protocol's bits for the modifiers of a chord, and its last key.
fn split(chord: &str) -> Res<(i64, &str)> {
    let mut bits = 0;
    let mut rest = chord;
    while let Some((modifier, after)) = rest
        .split_once('+')
        .filter(|(modifier, after)| !modifier.is_empty() && !after.is_empty())
    {
        bits |= match modifier {
            "Alt" => 1,
            "Control" => 2,
            "Meta" => 4,
            "Shift" => SHIFT,
            other => return Err(format!("there is no modifier `{other}`").into()),
        };
        rest = after;
    }
    Ok((bits, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chords_are_split_into_modifiers_and_a_key() -> Res<()> {
        assert_eq!(split("Tab")?, (0, "Tab"));
        assert_eq!(split("+")?, (0, "+"));
        assert_eq!(split("Control+Shift+z")?, (10, "z"));
        assert!(split("Super+a").is_err());
        Ok(())
    }
}
