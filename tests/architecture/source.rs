//! Rust sources as the rules see them: tokens without comments, strings and test code, and the paths among them.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// A source file of a crate.
pub struct Source {
    /// The file, for messages.
    pub file: String,
    /// Its module within the crate, empty for the root.
    pub module: Vec<String>,
    /// Its tokens, without those of tests.
    pub tokens: Vec<String>,
}

/// The sources of a crate whose root folder is `dir`, without modules that exist for tests only.
pub fn load(dir: &Path) -> Vec<Source> {
    let mut files = Vec::new();
    walk(dir, &mut files);
    let texts = files.iter().map(|file| {
        let relative = file.strip_prefix(dir).expect("walked from dir").to_string_lossy().into_owned();
        (relative, fs::read_to_string(file).expect("a source is UTF-8"))
    });
    parse(texts)
}

/// Sources from paths and texts; what [`load`] does, and what the tests of the rules do with made-up files.
pub fn parse(files: impl IntoIterator<Item = (String, String)>) -> Vec<Source> {
    let mut sources = Vec::new();
    let mut for_tests: BTreeSet<Vec<String>> = BTreeSet::new();
    for (file, text) in files {
        let module = module_of(&file);
        let (tokens, test_modules) = without_tests(tokens(&text));
        for name in test_modules {
            for_tests.insert(module.iter().cloned().chain([name]).collect());
        }
        sources.push(Source { file, module, tokens });
    }
    sources.retain(|s| !for_tests.iter().any(|t| s.module.starts_with(t)));
    sources
}

fn walk(dir: &Path, files: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(dir).expect("a folder").map(|e| e.expect("an entry").path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            walk(&path, files);
        } else if path.extension().is_some_and(|e| e == "rs") {
            files.push(path);
        }
    }
}

/// `store/mod.rs` and `store.rs` are module `store`; `lib.rs` and `main.rs` are the root.
fn module_of(file: &str) -> Vec<String> {
    let mut parts: Vec<String> = file.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
    if parts.last().is_some_and(|p| ["mod", "lib", "main"].contains(&p.as_str())) {
        parts.pop();
    }
    parts
}

impl Source {
    /// The modules of the own crate that this file names, from the root: `crate::a` and `super::a` as `a`.
    pub fn own_modules(&self) -> BTreeSet<String> {
        let mut named = heads(&self.tokens, &["crate"]);
        for ups in 1..=self.module.len() {
            if self.module.len() == ups {
                named.extend(heads(&self.tokens, &vec!["super"; ups]));
            }
        }
        named
    }

    /// The names that follow `root::` in this file, one level deep: `root::a`, `root::{a, b::c}`.
    pub fn names_of(&self, root: &str) -> BTreeSet<String> {
        heads(&self.tokens, &[root])
    }

    /// Whether a path in this file begins with the crate `name`.
    pub fn names_crate(&self, name: &str) -> bool {
        (0..self.tokens.len()).any(|at| {
            let before = at.checked_sub(1).map_or("", |b| self.tokens[b].as_str());
            let after = self.tokens.get(at + 1).map_or("", String::as_str);
            let starts_a_path = before != "::" && before != "." && after == "::";
            let is_imported = ["use", "crate"].contains(&before) && [";", "as"].contains(&after);
            self.tokens[at] == name && (starts_a_path || is_imported)
        })
    }
}

/// What follows `prefix[0]::prefix[1]::...::`, where that begins a path.
fn heads(tokens: &[String], prefix: &[&str]) -> BTreeSet<String> {
    let mut pattern: Vec<&str> = Vec::new();
    for part in prefix {
        pattern.extend([part, "::"]);
    }
    let mut found = BTreeSet::new();
    for at in 0..tokens.len() {
        let begins_a_path = at == 0 || tokens[at - 1] != "::";
        let matches = tokens[at..].iter().zip(&pattern).filter(|(t, p)| t == *p).count() == pattern.len();
        if !(begins_a_path && matches) {
            continue;
        }
        let rest = &tokens[at + pattern.len()..];
        match rest.first().map(String::as_str) {
            Some("{") => found.extend(group(rest)),
            Some(name) => {
                found.insert(name.to_owned());
            }
            None => {}
        }
    }
    found
}

/// The first names in `{a, b::c, d::{e}}`.
fn group(tokens: &[String]) -> Vec<String> {
    let (mut depth, mut names) = (0, Vec::new());
    for (at, token) in tokens.iter().enumerate() {
        match token.as_str() {
            "{" => depth += 1,
            "}" => depth -= 1,
            name if depth == 1 && ["{", ","].contains(&tokens[at - 1].as_str()) => {
                names.push(name.to_owned());
            }
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    names
}

/// Identifiers and punctuation; `::` is one token. Comments vanish, a literal becomes `""`.
pub fn tokens(text: &str) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        let rest = &chars[at..];
        let next = rest.get(1).copied().unwrap_or(' ');
        at += match rest[0] {
            c if c.is_whitespace() => 1,
            '/' if next == '/' => rest.iter().position(|c| *c == '\n').unwrap_or(rest.len()),
            '/' if next == '*' => block_comment(rest),
            '"' => literal(&mut tokens, string(rest, 1)),
            'b' | 'c' if next == '"' => literal(&mut tokens, string(rest, 2)),
            'r' | 'b' | 'c' if raw_string(rest).is_some() => {
                literal(&mut tokens, raw_string(rest).unwrap_or(1))
            }
            '\'' => match character(rest) {
                Some(length) => literal(&mut tokens, length),
                None => 1,
            },
            ':' if next == ':' => {
                tokens.push("::".to_owned());
                2
            }
            c if c.is_alphanumeric() || c == '_' => {
                let word: String = rest.iter().take_while(|c| c.is_alphanumeric() || **c == '_').collect();
                let length = word.chars().count();
                tokens.push(word);
                length
            }
            c => {
                tokens.push(c.to_string());
                1
            }
        };
    }
    tokens
}

fn literal(tokens: &mut Vec<String>, length: usize) -> usize {
    tokens.push("\"\"".to_owned());
    length
}

fn block_comment(rest: &[char]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        match (rest[at], rest.get(at + 1)) {
            ('/', Some('*')) => (depth, at) = (depth + 1, at + 2),
            ('*', Some('/')) => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

/// The length of a string whose content begins at `start`.
fn string(rest: &[char], start: usize) -> usize {
    let mut at = start;
    while at < rest.len() && rest[at] != '"' {
        at += if rest[at] == '\\' { 2 } else { 1 };
    }
    (at + 1).min(rest.len())
}

/// The length of `r"..."`, `br#"..."#` and the like.
fn raw_string(rest: &[char]) -> Option<usize> {
    let r = rest.iter().take(2).position(|c| *c == 'r')?;
    let hashes = rest[r + 1..].iter().take_while(|c| **c == '#').count();
    let start = r + 1 + hashes;
    if rest.get(start) != Some(&'"') {
        return None;
    }
    let closes = |at: usize| rest[at] == '"' && rest[at + 1..].iter().take(hashes).all(|c| *c == '#');
    let end = (start + 1..rest.len()).find(|at| closes(*at))?;
    Some(end + 1 + hashes)
}

/// The length of a character literal; `None` for a lifetime.
fn character(rest: &[char]) -> Option<usize> {
    match rest.get(1)? {
        '\\' => rest.iter().skip(3).position(|c| *c == '\'').map(|at| at + 4),
        _ => (rest.get(2) == Some(&'\'')).then_some(3),
    }
}

/// Takes out what `#[cfg(test)]` covers; says which modules in files of their own are for tests.
fn without_tests(tokens: Vec<String>) -> (Vec<String>, Vec<String>) {
    const MARK: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];
    let (mut kept, mut modules, mut at) = (Vec::new(), Vec::new(), 0);
    while at < tokens.len() {
        if !(tokens[at..].len() >= MARK.len() && tokens[at..].iter().zip(MARK).all(|(t, m)| t == m)) {
            kept.push(tokens[at].clone());
            at += 1;
            continue;
        }
        at += MARK.len();
        let mut depth = 0;
        let start = at;
        while at < tokens.len() {
            match tokens[at].as_str() {
                "{" | "(" | "[" => depth += 1,
                "}" | ")" | "]" => depth -= 1,
                _ => {}
            }
            // An attribute that follows ends with `]`; the item itself with `}` or `;`.
            let ended = depth == 0 && ["}", ";"].contains(&tokens[at].as_str());
            at += 1;
            if ended {
                break;
            }
        }
        let item = &tokens[start..at];
        if let [.., keyword, name, end] = item
            && keyword == "mod"
            && end == ";"
        {
            modules.push(name.clone());
        }
    }
    (kept, modules)
}
