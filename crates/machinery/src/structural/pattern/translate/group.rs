//! Groups: opening one with its flags or name, and closing it.

use super::{DEPTH, TOO_LARGE, Translator, Weight, error, read_part};

impl Translator<'_> {
    pub(super) fn open_group(&mut self) -> Result<(), String> {
        let start = self.rest;
        let Some(after) = start.strip_prefix("(?") else {
            self.rest = &start[1..];
            return self.push_group("(?:");
        };
        let named = if start.len() > 4 { after.strip_prefix("P<") } else { None };
        if let Some(name) = named.or(if start.len() > 3 { after.strip_prefix('<') } else { None }) {
            let Some((name, rest)) = name.split_once('>') else {
                return Err(error("invalid named capture", start));
            };
            let is_legal = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
            if name.is_empty() || !name.bytes().all(is_legal) {
                return Err(error("invalid named capture", read_part(start, rest)));
            }
            self.rest = rest;
            // Nobody asks what a group matched.
            return self.push_group("(?:");
        }
        self.flags(start, after)
    }

    fn flags(&mut self, start: &str, after: &str) -> Result<(), String> {
        let (mut is_negative, mut saw_flag) = (false, false);
        let mut rest = after;
        while let Some(character) = rest.chars().next() {
            rest = &rest[character.len_utf8()..];
            match character {
                'i' | 'm' | 's' | 'U' => saw_flag = true,
                '-' if !is_negative => (is_negative, saw_flag) = (true, false),
                ':' | ')' if !is_negative || saw_flag => {
                    let text = read_part(start, rest);
                    self.rest = &self.rest[text.len()..];
                    if character == ':' {
                        return self.push_group(text);
                    }
                    // Flags that change nothing are no flags to the engine.
                    if saw_flag {
                        self.out.push_str(text);
                    }
                    return Ok(());
                }
                _ => break,
            }
        }
        Err(error("invalid or unsupported Perl syntax", read_part(start, rest)))
    }

    fn push_group(&mut self, text: &str) -> Result<(), String> {
        if self.open.len() >= DEPTH {
            return Err("error parsing regexp: expression nests too deeply".to_owned());
        }
        self.out.push_str(text);
        self.open.push(self.current);
        self.current = Weight::default();
        self.last = None;
        if self.out.len() > self.source.len().saturating_mul(16).saturating_add(1024) {
            return Err(TOO_LARGE.to_owned());
        }
        Ok(())
    }

    pub(super) fn close_group(&mut self) -> Result<(), String> {
        let Some(mut outer) = self.open.pop() else {
            return Err(error("unexpected )", self.source));
        };
        self.rest = &self.rest[1..];
        self.out.push(')');
        let inner = Weight { size: self.current.size.saturating_add(2), repeats: self.current.repeats.max(1) };
        outer.add(inner);
        self.current = outer;
        self.last = Some(inner);
        Ok(())
    }
}
