//! The store: what must not be lost, in sled. Nothing else knows sled.
//!
//! A tree a concept. [`Store::flush`] makes everything before it durable (fsync); the node calls it before it confirms
//! anything. What a tree holds was checked before it was kept, so reading decodes without verifying again; a damaged
//! entry is an error that names the tree.

mod disclosures;
mod issued;

use std::path::{Path, PathBuf};

use knackmesh_protocol::{
    cell::Cell,
    credential::{
        TrustList,
        followed::{FollowedList, Trusted},
    },
    id::Id,
    key::PublicKey,
    limits::{CREDENTIALS_MAX, ISSUED_MAX, PEERS_REMEMBERED_MAX},
    message::Item,
    peer::{Change, Memory, Publication},
    signed::Signed,
    skill::SkillId,
    summary::Summary,
    time::Timestamp,
    wire,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

pub use self::{
    disclosures::{Disclosed, Disclosures},
    issued::{Issued, IssuedRecord, Mark, Page, Place},
};

/// The format of the trees. A store of another version is refused, never guessed at.
const VERSION: u32 = 1;

/// An open store. One process has it open at a time.
pub struct Store {
    db: sled::Db,
    items: sled::Tree,
    credentials: sled::Tree,
    /// To whom this home showed credentials.
    pub disclosures: Disclosures,
    /// Cells that the node keeps, by their keys.
    cells: sled::Tree,
    settings: sled::Tree,
    /// What this home has issued.
    pub issued: Issued,
    /// The number of the last item kept.
    serial: u64,
}

/// Why the store cannot do as asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process has it open.
    #[error("another process has {0} open")]
    Locked(PathBuf),
    /// The disk or sled refused.
    #[error("the store: {0}")]
    Sled(#[from] sled::Error),
    /// An entry cannot be read.
    #[error("the store's tree `{0}` holds a damaged entry")]
    Damaged(&'static str),
    /// Made by another version.
    #[error("the store is of format {0}; this program reads format {VERSION}")]
    Version(u32),
    /// No room for another credential.
    #[error("this home already keeps {CREDENTIALS_MAX} credentials")]
    Full,
    /// No room for another record of what was issued.
    #[error("this home has issued {ISSUED_MAX} credentials")]
    IssuedFull,
}

impl StoreError {
    /// What to try.
    pub fn hint(&self) -> &'static str {
        match self {
            StoreError::Locked(_) => "wait for the other command to end, or end the process that hangs",
            StoreError::Sled(sled::Error::Io(_)) => "check free space and permissions of the home folder",
            StoreError::Sled(_) | StoreError::Damaged(_) => {
                "move the `store` folder aside and import your credentials again; your keys are not in it"
            }
            StoreError::Version(_) => "use the version of knack that made this home",
            StoreError::Full => "remove those you no longer need",
            StoreError::IssuedFull => "issue from another home",
        }
    }
}

/// A credential as it was imported, or a badge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptCredential {
    /// The text, unchanged.
    pub text: String,
    /// When it was imported.
    pub imported: Timestamp,
    /// Of a badge of Open Badges 2.0, what its issuer published about it then. `None` for a verifiable credential.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub badge: Option<KeptBadge>,
    /// For a copy that is bound to a single-use key: which, and whether it was used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copy: Option<KeptCopy>,
}

/// A copy of a credential, which is published once and never presented.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptCopy {
    /// The number of the single-use key that it is bound to.
    pub index: u32,
    /// When it was published, if it was.
    pub used: Option<Timestamp>,
}

/// What is remembered of a badge of Open Badges 2.0, whose text names it only by an address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptBadge {
    /// What it is called.
    pub name: String,
    /// Who awarded it: an address.
    pub issuer: String,
    /// The skills that it is aligned to, with the issuer's names for them.
    pub skills: Vec<(SkillId, String)>,
}

/// A node that was met, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownNode {
    /// Its peer id.
    pub node: Vec<u8>,
    /// Multiaddresses.
    pub addresses: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct Published {
    publication: Option<Box<Publication>>,
    last_sequence: u64,
    greatest_expiry: Timestamp,
}

impl Store {
    /// Opens or makes the store in `dir`.
    ///
    /// # Errors
    /// When another process has it open, the disk refuses, or it is of another version.
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        let db = sled::Config::new()
            .path(dir)
            .cache_capacity(32 * 1024 * 1024)
            .flush_every_ms(Some(500))
            .open()
            .map_err(|e| if is_lock(&e) { StoreError::Locked(dir.to_owned()) } else { e.into() })?;
        let mut store = Store {
            items: db.open_tree("items")?,
            credentials: db.open_tree("credentials")?,
            disclosures: Disclosures::open(&db)?,
            cells: db.open_tree("cells")?,
            settings: db.open_tree("settings")?,
            issued: Issued::open(&db)?,
            serial: 0,
            db,
        };
        match store.setting::<u32>("version")? {
            None => store.set("version", &VERSION)?,
            Some(VERSION) => {}
            Some(other) => return Err(StoreError::Version(other)),
        }
        for entry in store.items.iter().values() {
            let serial = entry?.get(..8).and_then(|b| b.try_into().ok()).map(u64::from_be_bytes);
            store.serial = store.serial.max(serial.ok_or(StoreError::Damaged("items"))?);
        }
        Ok(store)
    }

    /// Makes everything so far durable.
    ///
    /// # Errors
    /// When the disk refuses: then nothing since the last flush may be confirmed.
    pub fn flush(&self) -> Result<(), StoreError> {
        self.db.flush().map(drop).map_err(Into::into)
    }

    /// Bytes on disk.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn size_bytes(&self) -> Result<u64, StoreError> {
        Ok(self.db.size_on_disk()?)
    }

    /// Applies a change of the peer. For a kept summary, returns its number, by which the index knows how far it is.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn apply(&mut self, change: &Change) -> Result<Option<u64>, StoreError> {
        match change {
            Change::Keep(item) => {
                self.serial += 1;
                let mut value = self.serial.to_be_bytes().to_vec();
                value.extend(item.encode());
                self.items.insert(item.view().as_bytes(), value)?;
                return Ok(Some(self.serial));
            }
            Change::Forget(view) => {
                self.items.remove(view.as_bytes())?;
            }
            Change::KeepCell(cell) => {
                self.cells.insert(cell.key().0, wire::encode(cell))?;
            }
            Change::ForgetCell(cell) => {
                self.cells.remove(cell.key().0)?;
            }
            Change::Publication { publication, last_sequence, greatest_expiry } => {
                let (last_sequence, greatest_expiry) = (*last_sequence, *greatest_expiry);
                self.set(
                    "publication",
                    &Published { publication: publication.clone(), last_sequence, greatest_expiry },
                )?;
            }
            Change::Disclosed { seeker, purpose, credentials, at } => {
                self.disclosed(&Disclosed {
                    seeker: Some(*seeker),
                    verifier: None,
                    purpose: purpose.clone(),
                    credentials: credentials.clone(),
                    at: *at,
                })?;
            }
        }
        Ok(None)
    }

    /// What the peer remembers.
    ///
    /// # Errors
    /// When an entry is damaged.
    pub fn memory(&self) -> Result<Memory, StoreError> {
        let cells = self.cells.iter().values().map(|entry| decode_cell(&entry?)).collect::<Result<_, _>>()?;
        let published = self.setting::<Published>("publication")?;
        let items = self.items.iter().values().map(|entry| decode_item(&entry?)).collect::<Result<_, _>>()?;
        Ok(match published {
            Some(p) => Memory {
                publication: p.publication.map(|p| *p),
                last_sequence: p.last_sequence,
                greatest_expiry: p.greatest_expiry,
                items,
                cells,
            },
            None => Memory { items, cells, ..Memory::default() },
        })
    }

    /// The summary kept of a view; `None` for a tombstone.
    ///
    /// # Errors
    /// When the entry is damaged.
    pub fn summary(&self, view: &PublicKey) -> Result<Option<Signed<Summary>>, StoreError> {
        match self.items.get(view.as_bytes())? {
            Some(entry) => Ok(match decode_item(&entry)? {
                Item::Summary(summary) => Some(summary),
                Item::Tombstone(_) => None,
            }),
            None => Ok(None),
        }
    }

    /// Summaries kept after the one with number `serial`, with their numbers: what an index that got so far lacks.
    ///
    /// # Errors
    /// When an entry is damaged.
    pub fn summaries_after(&self, serial: u64) -> Result<Vec<(u64, Signed<Summary>)>, StoreError> {
        let mut later = Vec::new();
        for entry in self.items.iter().values() {
            let entry = entry?;
            let number = entry.get(..8).and_then(|b| b.try_into().ok()).map(u64::from_be_bytes);
            let number = number.ok_or(StoreError::Damaged("items"))?;
            if number > serial
                && let Item::Summary(summary) = decode_item(&entry)?
            {
                later.push((number, summary));
            }
        }
        later.sort_by_key(|(number, _)| *number);
        Ok(later)
    }

    /// Keeps a credential under its id.
    ///
    /// # Errors
    /// When there are too many, or the disk refuses.
    pub fn put_credential(&self, id: &Id, kept: &KeptCredential) -> Result<(), StoreError> {
        if self.credentials.len() >= CREDENTIALS_MAX && !self.credentials.contains_key(id.0)? {
            return Err(StoreError::Full);
        }
        self.credentials.insert(id.0, wire::encode(kept))?;
        Ok(())
    }

    /// Keeps a credential no longer.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn remove_credential(&self, id: &Id) -> Result<(), StoreError> {
        self.credentials.remove(id.0)?;
        Ok(())
    }

    /// A credential by its id.
    ///
    /// # Errors
    /// When the entry is damaged.
    pub fn credential(&self, id: &Id) -> Result<Option<KeptCredential>, StoreError> {
        self.credentials.get(id.0)?.map(|bytes| decode(&bytes, "credentials")).transpose()
    }

    /// How many credentials are kept.
    pub fn credential_count(&self) -> usize {
        self.credentials.len()
    }

    /// Every credential, by id.
    ///
    /// # Errors
    /// When an entry is damaged.
    pub fn credentials(&self) -> Result<Vec<(Id, KeptCredential)>, StoreError> {
        let entry = |entry: sled::Result<(sled::IVec, sled::IVec)>| {
            let (key, value) = entry?;
            let id = <[u8; 32]>::try_from(key.as_ref()).map_err(|_| StoreError::Damaged("credentials"))?;
            Ok((Id(id), decode(&value, "credentials")?))
        };
        self.credentials.iter().map(entry).collect()
    }

    /// Records that credentials were shown, which must be durable before they are.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn disclosed(&mut self, disclosed: &Disclosed) -> Result<(), StoreError> {
        self.disclosures.add(disclosed, self.db.generate_id()?)
    }

    /// The nodes met last, to join by after a restart.
    ///
    /// # Errors
    /// When the entry is damaged.
    pub fn nodes(&self) -> Result<Vec<KnownNode>, StoreError> {
        Ok(self.setting("nodes")?.unwrap_or_default())
    }

    /// Keeps them, at most [`PEERS_REMEMBERED_MAX`].
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn set_nodes(&self, nodes: &[KnownNode]) -> Result<(), StoreError> {
        self.set("nodes", &&nodes[..nodes.len().min(PEERS_REMEMBERED_MAX)])
    }

    /// Whom the owner recognises, and whose lists the home follows.
    ///
    /// # Errors
    /// When it is damaged.
    pub fn trusted(&self) -> Result<Trusted, StoreError> {
        let own: Option<TrustList> = self.setting("trust")?;
        let followed: Option<Vec<FollowedList>> = self.setting("trust_followed")?;
        Trusted::new(own.unwrap_or_default(), followed.unwrap_or_default())
            .map_err(|_| StoreError::Damaged("settings"))
    }

    /// Keeps them, both or neither.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn set_trusted(&self, trusted: &Trusted) -> Result<(), StoreError> {
        let mut batch = sled::Batch::default();
        batch.insert("trust", wire::encode(trusted.own()));
        batch.insert("trust_followed", wire::encode(&trusted.followed()));
        self.settings.apply_batch(batch)?;
        Ok(())
    }

    /// A setting by name.
    ///
    /// # Errors
    /// When it is damaged.
    pub fn setting<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, StoreError> {
        self.settings.get(name)?.map(|bytes| decode(&bytes, "settings")).transpose()
    }

    /// Sets a setting.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn set<T: Serialize>(&self, name: &str, value: &T) -> Result<(), StoreError> {
        self.settings.insert(name, wire::encode(value))?;
        Ok(())
    }
}

fn decode<T: DeserializeOwned>(bytes: &[u8], tree: &'static str) -> Result<T, StoreError> {
    wire::decode_kept(bytes).map_err(|_| StoreError::Damaged(tree))
}

fn decode_cell(bytes: &[u8]) -> Result<Cell, StoreError> {
    wire::decode_kept(bytes).map_err(|_| StoreError::Damaged("cells"))
}

fn decode_item(entry: &[u8]) -> Result<Item, StoreError> {
    entry.get(8..).and_then(|bytes| Item::decode_kept(bytes).ok()).ok_or(StoreError::Damaged("items"))
}

/// sled tells a lock held by another process only by the words of an I/O error.
fn is_lock(e: &sled::Error) -> bool {
    matches!(e, sled::Error::Io(io) if io.kind() == std::io::ErrorKind::WouldBlock || io.to_string().contains("could not acquire lock"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::collections::BTreeMap;

    use knackmesh_protocol::credential::TrustEntry;

    use super::*;

    /// A credential as it was kept before badges were.
    #[derive(Serialize)]
    struct Earlier {
        text: String,
        imported: Timestamp,
    }

    #[test]
    fn credentials_that_were_kept_earlier_are_read_and_written_alike() {
        let imported = Timestamp::from_unix_ms(7);
        let earlier = wire::encode(&Earlier { text: "{}".into(), imported });
        let kept: KeptCredential = decode(&earlier, "credentials").unwrap();
        assert_eq!(kept, KeptCredential { text: "{}".into(), imported, badge: None, copy: None });
        assert_eq!(wire::encode(&kept), earlier);
        let skills = vec![("urn:s:rust".parse().unwrap(), "Rust".to_owned())];
        let badge = KeptBadge { name: "Robotics".into(), issuer: "https://a.example".into(), skills };
        let kept = KeptCredential { badge: Some(badge), ..kept };
        assert_eq!(decode::<KeptCredential>(&wire::encode(&kept), "credentials").unwrap(), kept);
    }

    /// An entry of the trust list as it was kept before entries had scopes and lists were followed.
    #[derive(Serialize)]
    struct EarlierEntry {
        #[serde(skip_serializing_if = "Option::is_none")]
        name: Option<&'static str>,
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        distrusted: bool,
    }

    #[test]
    fn a_trust_list_that_was_kept_earlier_is_the_owners() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        assert_eq!(store.trusted().unwrap(), Trusted::default());
        let entries = [
            ("did:web:a.example", EarlierEntry { name: Some("Academy"), distrusted: false }),
            ("did:web:b.example", EarlierEntry { name: None, distrusted: true }),
        ];
        store.set("trust", &BTreeMap::from(entries)).unwrap();
        let mut trusted = store.trusted().unwrap();
        let academy = trusted.own().get(&"did:web:a.example".parse().unwrap()).unwrap();
        assert_eq!(academy, &TrustEntry { name: Some("Academy".into()), ..TrustEntry::default() });
        assert!(trusted.own().get(&"did:web:b.example".parse().unwrap()).unwrap().distrusted);
        assert!(trusted.followed().is_empty());
        let followed = FollowedList {
            keeper: "did:web:k.example".parse().unwrap(),
            name: None,
            signed: Some(Timestamp::from_unix_ms(7)),
            until: None,
            taken: Timestamp::from_unix_ms(8),
            list: trusted.own().clone(),
        };
        trusted.follow(followed).unwrap();
        store.set_trusted(&trusted).unwrap();
        assert_eq!(store.trusted().unwrap(), trusted);
    }
}
