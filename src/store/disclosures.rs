//! To whom this home showed credentials, when and for what: the holder's own record, which no one else reads.

use knackmesh_protocol::{id::Id, key::PublicKey, limits::DISCLOSURES_MAX, time::Timestamp, wire};
use serde::{Deserialize, Serialize};

use super::{StoreError, decode};

/// The tree of presentations that were given, by instant and number. The oldest make room.
pub struct Disclosures {
    tree: sled::Tree,
    count: usize,
}

/// A presentation that was given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disclosed {
    /// The seeker whose inquiry it answered, if it answered one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seeker: Option<PublicKey>,
    /// The verifier for whom the holder made it, by the name that the holder gave, if it was made so and for somebody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verifier: Option<String>,
    /// For what, as the seeker said; empty when nobody did.
    pub purpose: String,
    /// Which credentials.
    pub credentials: Vec<Id>,
    /// When.
    pub at: Timestamp,
}

impl Disclosures {
    pub(super) fn open(db: &sled::Db) -> Result<Self, StoreError> {
        let tree = db.open_tree("disclosures")?;
        Ok(Disclosures { count: tree.len(), tree })
    }

    /// Keeps the record of a presentation, which is given only once this is durable. `number` tells it from others of the
    /// same instant.
    ///
    /// # Errors
    /// When the disk refuses.
    pub(super) fn add(&mut self, disclosed: &Disclosed, number: u64) -> Result<(), StoreError> {
        let key = [disclosed.at.unix_ms().to_be_bytes(), number.to_be_bytes()].concat();
        self.tree.insert(key, wire::encode(disclosed))?;
        self.count += 1;
        while self.count > DISCLOSURES_MAX && self.tree.pop_min()?.is_some() {
            self.count -= 1;
        }
        Ok(())
    }

    /// The newest, newest first, at most `most`.
    ///
    /// # Errors
    /// When an entry is damaged.
    pub fn newest(&self, most: usize) -> Result<Vec<Disclosed>, StoreError> {
        self.tree.iter().values().rev().take(most).map(|entry| decode(&entry?, "disclosures")).collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use knackmesh_protocol::key::SecretKey;

    use super::*;

    /// A record as it was kept when there were none but of inquiries.
    #[derive(Serialize)]
    struct Earlier {
        seeker: PublicKey,
        purpose: String,
        credentials: Vec<Id>,
        at: Timestamp,
    }

    fn disclosed(at: u64) -> Disclosed {
        Disclosed {
            seeker: Some(SecretKey::from_seed([1; 32]).public()),
            verifier: None,
            purpose: "recruitment".into(),
            credentials: vec![Id([2; 32])],
            at: Timestamp::from_unix_ms(at),
        }
    }

    #[test]
    fn records_that_were_kept_earlier_are_read_and_written_alike() {
        let Disclosed { seeker, purpose, credentials, at, .. } = disclosed(7);
        let earlier = wire::encode(&Earlier { seeker: seeker.unwrap(), purpose, credentials, at });
        assert_eq!(decode::<Disclosed>(&earlier, "disclosures").unwrap(), disclosed(7));
        assert_eq!(wire::encode(&disclosed(7)), earlier);
    }

    #[test]
    fn the_newest_come_first_and_the_oldest_make_room() {
        let dir = tempfile::tempdir().unwrap();
        let db = sled::open(dir.path()).unwrap();
        let mut disclosures = Disclosures::open(&db).unwrap();
        for (number, at) in (0..).zip([5, 9, 5]) {
            disclosures.add(&disclosed(at), number).unwrap();
        }
        let instants =
            |d: &Disclosures| -> Vec<u64> { d.newest(9).unwrap().iter().map(|d| d.at.unix_ms()).collect() };
        assert_eq!(instants(&disclosures), [9, 5, 5]);
        assert_eq!(disclosures.newest(1).unwrap(), [disclosed(9)]);
        let mut disclosures = Disclosures::open(&db).unwrap();
        assert_eq!(disclosures.count, 3);
        disclosures.count = DISCLOSURES_MAX;
        disclosures.add(&disclosed(7), 3).unwrap();
        assert_eq!(instants(&disclosures), [9, 7, 5]);
        assert_eq!(disclosures.count, DISCLOSURES_MAX);
    }
}
