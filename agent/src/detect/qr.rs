//! A link as a QR code of block characters, two rows of it in a line.
use crate::{
    error::ExpectedError,
    output::{self, Screen},
};
use qrcodegen::{QrCode, QrCodeEcc};

/// Light modules around the code, as its standard asks for.
const MARGIN: i32 = 4;

/// The code; on a terminal in black on white, else with its light parts filled, as on a dark background.
pub(super) fn code(text: &str, screen: Screen) -> Result<String, ExpectedError> {
    let code = QrCode::encode_text(text, QrCodeEcc::Low).map_err(|_| {
        ExpectedError::usage(format!(
            "--qr: the link has {} characters, and no code holds more than 2953",
            text.len()
        ))
        .help("Give a shorter --link, or leave --qr out.")
    })?;
    // Places outside the code are light.
    let places = -MARGIN..code.size() + MARGIN;
    let width = places.len();
    if width > screen.columns() {
        output::say(&format!(
            "note: the code is {width} columns wide, and the terminal has {}",
            screen.columns()
        ));
    }
    let lines: Vec<String> = places
        .clone()
        .step_by(2)
        .map(|row| {
            let cell = |column| {
                block(
                    code.get_module(column, row),
                    code.get_module(column, row + 1),
                    screen.has_color(),
                )
            };
            screen.black_on_white(&places.clone().map(cell).collect::<String>())
        })
        .collect();
    Ok(lines.join("\n"))
}

/// One character for an upper and a lower module.
const fn block(upper: bool, lower: bool, ink_is_dark: bool) -> char {
    match (upper == ink_is_dark, lower == ink_is_dark) {
        (true, true) => '█',
        (true, false) => '▀',
        (false, true) => '▄',
        (false, false) => ' ',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_finder_patterns_stand_in_their_corners() {
        let text = code("https://w.example/#host=e30", Screen::plain(100)).unwrap();
        let lines: Vec<Vec<char>> = text.lines().map(|line| line.chars().collect()).collect();
        let width = lines[0].len();
        assert_eq!(lines.len(), width.div_ceil(2));
        // Dark is left blank here: the top of a finder is seven dark modules over a ring.
        let finder = |column: usize| lines[2][column..column + 7].iter().collect::<String>();
        assert_eq!(finder(4), " ▄▄▄▄▄ ");
        assert_eq!(finder(width - 11), " ▄▄▄▄▄ ");
        assert!(lines[0].iter().all(|c| *c == '█'));
    }

    #[test]
    fn what_no_code_holds_is_refused() {
        assert!(code(&"x".repeat(3000), Screen::plain(100)).is_err());
    }
}
