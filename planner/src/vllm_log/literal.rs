//! Python's literals as vLLM prints its arguments: `{'model': 'a/b', 'dtype': torch.bfloat16, 'stream': True}`.
use serde_json::{Map, Number, Value};

const DEEPEST: usize = 16;

/// Reads one literal from the start of a text; `None` where it is cut off or none.
pub(super) fn read(text: &str) -> Option<Value> {
    Reader { rest: text, depth: 0 }.value()
}

struct Reader<'a> {
    rest: &'a str,
    depth: usize,
}

impl Reader<'_> {
    fn space(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn eat(&mut self, c: char) -> bool {
        self.space();
        match self.rest.strip_prefix(c) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn value(&mut self) -> Option<Value> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return None;
        }
        self.space();
        let value = match self.rest.chars().next()? {
            '{' => self.dict(),
            '[' => self.list('[', ']'),
            '(' => self.list('(', ')'),
            '\'' | '"' => self.string().map(Value::String),
            _ => self.word(),
        };
        self.depth -= 1;
        value
    }

    fn dict(&mut self) -> Option<Value> {
        self.eat('{');
        let mut map = Map::new();
        while !self.eat('}') {
            let key = match self.value()? {
                Value::String(key) => key,
                other => other.to_string(),
            };
            if !self.eat(':') {
                return None;
            }
            map.insert(key, self.value()?);
            if !self.eat(',') {
                return self.eat('}').then_some(Value::Object(map));
            }
        }
        Some(Value::Object(map))
    }

    fn list(&mut self, open: char, close: char) -> Option<Value> {
        self.eat(open);
        let mut values = Vec::new();
        while !self.eat(close) {
            values.push(self.value()?);
            if !self.eat(',') {
                return self.eat(close).then_some(Value::Array(values));
            }
        }
        Some(Value::Array(values))
    }

    fn string(&mut self) -> Option<String> {
        let quote = self.rest.chars().next()?;
        let mut text = String::new();
        let mut chars = self.rest.char_indices().skip(1);
        while let Some((at, c)) = chars.next() {
            match c {
                '\\' => match chars.next()?.1 {
                    'n' => text.push('\n'),
                    't' => text.push('\t'),
                    other => text.push(other),
                },
                c if c == quote => {
                    self.rest = self.rest.get(at + c.len_utf8()..)?;
                    return Some(text);
                }
                c => text.push(c),
            }
        }
        None
    }

    /// A number, a constant, or a name such as `torch.bfloat16` or `<Kind.AUTO: 'auto'>`.
    fn word(&mut self) -> Option<Value> {
        let mut open = 0_usize;
        let end = self.rest.find(|c: char| {
            match c {
                '<' | '(' | '[' | '{' => open += 1,
                '>' | ')' | ']' | '}' if open > 0 => open -= 1,
                ',' | ':' | '}' | ']' | ')' if open == 0 => return true,
                _ => {}
            }
            false
        });
        let (word, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        Some(match word.trim() {
            "" => return None,
            "True" => Value::Bool(true),
            "False" => Value::Bool(false),
            "None" => Value::Null,
            word => number(word).unwrap_or_else(|| Value::String(word.to_owned())),
        })
    }
}

fn number(word: &str) -> Option<Value> {
    let number = word.parse::<i64>().ok().map(Number::from);
    number
        .or_else(|| Number::from_f64(crate::units::decimal(word)?))
        .map(Value::Number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn literals_of_real_logs_are_read() {
        let text = "{'dtype': torch.bfloat16, 'seed': 0, 'gpu_memory_utilization': 0.8661, 'limit': {'image': 0}, 'names': ['a', \"b'c\"], 'kind': <Kind.AUTO: 'auto'>, 'off': False, 'none': None} and more";
        let expected = json!({"dtype": "torch.bfloat16", "seed": 0, "gpu_memory_utilization": 0.8661, "limit": {"image": 0},
            "names": ["a", "b'c"], "kind": "<Kind.AUTO: 'auto'>", "off": false, "none": null});
        assert_eq!(read(text), Some(expected));
    }

    #[test]
    fn what_is_cut_off_or_too_deep_is_none() {
        for text in ["{'a': 1", "{'a'", "['", "", "{'a' 1}", &"[".repeat(100)] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
