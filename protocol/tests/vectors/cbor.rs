//! CBOR without rules: what is legal is taken apart, changed in one place and put together again.

/// An item. Maps keep the order of their entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cbor {
    Unsigned(u64),
    Negative(u64),
    Bytes(Vec<u8>),
    Text(String),
    Array(Vec<Cbor>),
    Map(Vec<(Cbor, Cbor)>),
    Simple(u8),
}

impl Cbor {
    pub const NULL: Cbor = Cbor::Simple(22);

    pub fn text(text: &str) -> Cbor {
        Cbor::Text(text.to_owned())
    }

    /// A map of one entry, as an enum's variant with content is written.
    pub fn variant(name: &str, content: Cbor) -> Cbor {
        Cbor::Map(vec![(Cbor::text(name), content)])
    }

    /// Reads what this crate's own encoder wrote.
    pub fn read(bytes: &[u8]) -> Cbor {
        let mut at = 0;
        let item = item(bytes, &mut at);
        assert_eq!(at, bytes.len());
        item
    }

    /// Lengths in shortest form, entries in the order in which they stand.
    pub fn write(&self) -> Vec<u8> {
        let mut out = Vec::new();
        write(self, &mut out);
        out
    }

    /// The item at a path of keys and positions.
    pub fn at(&mut self, path: &str) -> &mut Cbor {
        path.split('.').filter(|step| !step.is_empty()).fold(self, |item, step| match item {
            Cbor::Array(items) => &mut items[step.parse::<usize>().unwrap()],
            Cbor::Map(entries) => {
                let entry = entries.iter_mut().find(|(key, _)| *key == Cbor::text(step));
                &mut entry.unwrap_or_else(|| panic!("no {step}")).1
            }
            other => panic!("{step} in {other:?}"),
        })
    }

    /// Replaces the item at a path.
    pub fn with(mut self, path: &str, item: Cbor) -> Cbor {
        *self.at(path) = item;
        self
    }

    /// Adds an entry to the map at a path, in its place.
    pub fn and(mut self, path: &str, key: &str, item: Cbor) -> Cbor {
        let Cbor::Map(entries) = self.at(path) else { panic!("{path} is no map") };
        entries.push((Cbor::text(key), item));
        entries.sort_by_key(|(key, _)| key.write());
        self
    }

    /// Takes an entry out of the map at a path.
    pub fn without(mut self, path: &str, key: &str) -> Cbor {
        let Cbor::Map(entries) = self.at(path) else { panic!("{path} is no map") };
        let before = entries.len();
        entries.retain(|(k, _)| *k != Cbor::text(key));
        assert_eq!(entries.len() + 1, before, "no {key}");
        self
    }
}

fn item(bytes: &[u8], at: &mut usize) -> Cbor {
    let first = bytes[*at];
    *at += 1;
    let argument = match first & 0x1f {
        short @ 0..=23 => u64::from(short),
        long => {
            let width = 1 << (long - 24);
            *at += width;
            bytes[*at - width..*at].iter().fold(0, |n, b| (n << 8) | u64::from(*b))
        }
    };
    let length = usize::try_from(argument).unwrap();
    let mut take = || {
        *at += length;
        bytes[*at - length..*at].to_vec()
    };
    match first >> 5 {
        0 => Cbor::Unsigned(argument),
        1 => Cbor::Negative(argument),
        2 => Cbor::Bytes(take()),
        3 => Cbor::Text(String::from_utf8(take()).unwrap()),
        4 => Cbor::Array((0..length).map(|_| item(bytes, at)).collect()),
        5 => Cbor::Map((0..length).map(|_| (item(bytes, at), item(bytes, at))).collect()),
        _ => Cbor::Simple(first & 0x1f),
    }
}

fn write(item: &Cbor, out: &mut Vec<u8>) {
    match item {
        Cbor::Unsigned(n) => head(0, *n, out),
        Cbor::Negative(n) => head(1, *n, out),
        Cbor::Bytes(bytes) => {
            head(2, bytes.len() as u64, out);
            out.extend(bytes);
        }
        Cbor::Text(text) => {
            head(3, text.len() as u64, out);
            out.extend(text.as_bytes());
        }
        Cbor::Array(items) => {
            head(4, items.len() as u64, out);
            items.iter().for_each(|item| write(item, out));
        }
        Cbor::Map(entries) => {
            head(5, entries.len() as u64, out);
            for (key, value) in entries {
                write(key, out);
                write(value, out);
            }
        }
        Cbor::Simple(n) => head(7, u64::from(*n), out),
    }
}

fn head(major: u8, argument: u64, out: &mut Vec<u8>) {
    let bytes = argument.to_be_bytes();
    let (info, width) = match argument {
        0..=23 => (bytes[7], 0),
        24..=0xff => (24, 1),
        0x100..=0xffff => (25, 2),
        0x1_0000..=0xffff_ffff => (26, 4),
        _ => (27, 8),
    };
    out.push((major << 5) | info);
    out.extend(&bytes[8 - width..]);
}
