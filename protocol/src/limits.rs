//! Every bound on what a peer can make us store, allocate or compute, and every duration the
//! protocol fixes. `spec/limits.md` holds the same table; a test compares the two.
//!
//! Units are last in the names: `_bytes`, `_ms`, `_max` counts.

/// Declares the bounds once, as constants and as the table that the specification is checked against.
macro_rules! limits {
    ($($(#[$doc:meta])* $name:ident : $type:ty = $value:expr;)*) => {
        $($(#[$doc])* pub const $name: $type = $value;)*

        /// Name and value of every bound, in order of declaration.
        pub const TABLE: &[(&str, u64)] = &[$((stringify!($name), $value as u64)),*];
    };
}

limits! {
    /// A message on the request protocol, request or response.
    MESSAGE_BYTES_MAX: usize = 1024 * 1024;
    /// A gossip message: one signed summary or tombstone.
    GOSSIP_BYTES_MAX: usize = 16 * 1024;
    /// Nesting of a CBOR item.
    CBOR_DEPTH_MAX: usize = 24;

    /// A summary, without its signature.
    SUMMARY_BYTES_MAX: usize = 8 * 1024;
    /// A consent record, which holds a summary's content.
    CONSENT_BYTES_MAX: usize = 8 * 1024;
    /// Claims in one summary.
    CLAIMS_MAX: usize = 32;
    /// A skill's URI.
    SKILL_ID_BYTES_MAX: usize = 256;
    /// A DID, of any method.
    DID_BYTES_MAX: usize = 512;
    /// A summary's headline, in bytes of UTF-8.
    HEADLINE_BYTES_MAX: usize = 200;
    /// Languages in one summary.
    LANGUAGES_MAX: usize = 8;
    /// Addresses at which a holder says it can be reached.
    ADDRESSES_MAX: usize = 8;
    /// One address (a multiaddr in text form).
    ADDRESS_BYTES_MAX: usize = 256;

    /// The longest a summary lives after it was issued.
    LEASE_MAX_MS: u64 = 7 * 24 * 3600 * 1000;
    /// The lease when the holder names none.
    LEASE_DEFAULT_MS: u64 = 24 * 3600 * 1000;
    /// The shortest lease a holder may ask for.
    LEASE_MIN_MS: u64 = 1000;
    /// How far in the future a peer's clock may put `issued`.
    CLOCK_SKEW_MAX_MS: u64 = 2 * 60 * 1000;
    /// How long after the greatest signed expiry a tombstone is kept.
    TOMBSTONE_GRACE_MS: u64 = 10 * 60 * 1000;

    /// How long a withdrawal waits for signed acknowledgements.
    WITHDRAWAL_WAIT_MS: u64 = 2_000;

    /// Summaries a full replica keeps.
    SUMMARIES_MAX: usize = 200_000;
    /// Tombstones a node keeps.
    TOMBSTONES_MAX: usize = 200_000;
    /// Gossip topics that carry announcements; a view's hash picks one.
    ANNOUNCE_TOPICS: u8 = 64;
    /// Gossip topics that carry withdrawals.
    WITHDRAW_TOPICS: u8 = 16;

    /// A query's text, as typed and in its canonical form.
    QUERY_BYTES_MAX: usize = 16 * 1024;
    /// Terms and operators in a query.
    QUERY_NODES_MAX: usize = 64;
    /// Nesting of a query.
    QUERY_DEPTH_MAX: usize = 8;
    /// A free-text term or phrase of a query.
    QUERY_TEXT_BYTES_MAX: usize = 128;
    /// Skills that one hierarchical term (`~skill`) may expand to.
    QUERY_EXPANSION_MAX: usize = 64;
    /// Leads in one answer.
    LEADS_MAX: usize = 200;
    /// Bytes of leads in one answer.
    LEADS_BYTES_MAX: usize = 512 * 1024;
    /// Peers that one search asks.
    SEARCH_PEERS_MAX: usize = 64;
    /// Leads that one search keeps while it runs.
    SEARCH_LEADS_MAX: usize = 10_000;
    /// Presentations that one search requests.
    SEARCH_INQUIRIES_MAX: usize = 64;
    /// Searches of our own that run at once.
    SEARCHES_MAX: usize = 32;
    /// The longest deadline of a search.
    SEARCH_DEADLINE_MAX_MS: u64 = 120_000;
    /// Requests that a peer may send at once, after silence.
    REQUESTS_BURST: u32 = 600;
    /// Requests that a peer may send, per minute.
    REQUESTS_PER_MINUTE: u32 = 1200;
    /// Peers whose request budgets are remembered.
    BUDGETS_MAX: usize = 4096;
    /// What the peers of one address group may send together, in budgets of one peer.
    GROUP_BUDGETS: u64 = 10;
    /// Announcements and withdrawals that one party may forward to us by gossip at once, after silence.
    GOSSIP_BURST: u64 = 8192;
    /// The same, per minute.
    GOSSIP_PER_MINUTE: u64 = 1200;

    /// An inquiry.
    INQUIRY_BYTES_MAX: usize = 16 * 1024;
    /// A signed score statement: every line of the longest explanation fits.
    STATEMENT_BYTES_MAX: usize = 256 * 1024;
    /// An inquiry's purpose, in bytes of UTF-8.
    PURPOSE_BYTES_MAX: usize = 200;
    /// An inquiry's contact for data-subject rights, in bytes of UTF-8.
    CONTACT_BYTES_MAX: usize = 200;
    /// The longest an inquiry may be answered after it was issued.
    INQUIRY_AGE_MAX_MS: u64 = 10 * 60 * 1000;
    /// How long a seeker may say it keeps a presentation.
    RETENTION_DAYS_MAX: u32 = 365;

    /// A credential or presentation in JSON.
    CREDENTIAL_BYTES_MAX: usize = 256 * 1024;
    /// Nesting of a credential's JSON.
    JSON_DEPTH_MAX: usize = 32;
    /// Values in a credential's JSON.
    JSON_VALUES_MAX: usize = 20_000;
    /// Credentials in one presentation.
    PRESENTED_CREDENTIALS_MAX: usize = 32;
    /// Bytes of one presentation with its credentials.
    PRESENTATION_BYTES_MAX: usize = 768 * 1024;
    /// How long ago the key binding of an SD-JWT may have been made.
    KEY_BINDING_AGE_MAX_MS: u64 = 10 * 60 * 1000;
    /// Proofs on one credential.
    PROOFS_MAX: usize = 8;
    /// Skill alignments read from one credential.
    ALIGNMENTS_MAX: usize = 64;
    /// A proof's `proofValue`.
    PROOF_VALUE_BYTES_MAX: usize = 89;
    /// Entries of one credential's status.
    STATUS_ENTRIES_MAX: usize = 8;
    /// The URL of a status list.
    STATUS_URL_BYTES_MAX: usize = 512;
    /// Status lists that one verification knows.
    STATUS_LISTS_MAX: usize = 64;
    /// Status lists stapled to one disclosure.
    STAPLED_LISTS_MAX: usize = 8;
    /// Bytes of status lists that a holder staples to one disclosure, so that the whole fits into one message.
    STAPLED_BYTES_MAX: usize = 192 * 1024;
    /// Things obtained from the web for one search.
    SEARCH_NEEDS_MAX: usize = 32;
    /// Of these, things that one holder's credentials make needed.
    SEARCH_NEEDS_PER_HOLDER_MAX: usize = 8;
    /// Holders for whose credentials something is obtained at once, over all searches.
    OBTAINING_AT_ONCE_MAX: usize = 8;
    /// How long obtaining something for a search may take.
    OBTAIN_TIMEOUT_MS: u64 = 20_000;
    /// How long one fetch for a search may take: whoever makes a seeker wait for his server keeps the others' turn short.
    OBTAIN_FETCH_TIMEOUT_MS: u64 = 4_000;
    /// The oldest status that is called fresh when the verifier says nothing else.
    STATUS_AGE_DEFAULT_MS: u64 = 24 * 3600 * 1000;
    /// Things that one credential's verification may ask to be fetched.
    NEEDS_MAX: usize = 16;
    /// A public key in Multikey form.
    MULTIKEY_BYTES_MAX: usize = 128;
    /// A member of a JWK, in base64url.
    JWK_MEMBER_BYTES_MAX: usize = 1024;
    /// The smallest RSA modulus that counts, in bits.
    RSA_BITS_MIN: usize = 2048;
    /// The largest RSA modulus that is verified with, in bits.
    RSA_BITS_MAX: usize = 4096;

    /// A DID URL: a DID and its fragment.
    DID_URL_BYTES_MAX: usize = 1024;
    /// A DID document.
    DID_DOCUMENT_BYTES_MAX: usize = 64 * 1024;
    /// Verification methods of one DID document, and entries of one of its relationships.
    VERIFICATION_METHODS_MAX: usize = 64;
    /// Services of one DID document.
    SERVICES_MAX: usize = 64;
    /// DID documents, and pages about keys, that a verifier knows at once.
    DOCUMENTS_MAX: usize = 1024;
    /// An origin (`https://HOST:PORT`) as somebody else writes it.
    ORIGIN_BYTES_MAX: usize = 512;
    /// The list of DIDs that an origin says are its own.
    DID_CONFIGURATION_BYTES_MAX: usize = 256 * 1024;
    /// Entries of that list.
    LINKED_DIDS_MAX: usize = 32;

    /// One frame of a reconciliation session.
    RECONCILE_FRAME_BYTES_MAX: usize = 64 * 1024;
    /// Size at which a frame is cut, so that with its last range it stays within the bound.
    RECONCILE_FRAME_TARGET_BYTES: u64 = 48 * 1024;
    /// Sessions that a node has open at once.
    RECONCILE_SESSIONS_MAX: usize = 4;
    /// The longest that one session runs; what it brought is kept.
    RECONCILE_SESSION_MAX_MS: u64 = 30_000;
    /// Time after a first session until the second, and after a failed one until the next.
    RECONCILE_AGAIN_MS: u64 = 5_000;
    /// How long a new connection has lasted when tombstones alone are compared over it, by who has compared them lately.
    RECONCILE_LASTING_MS: u64 = 15_000;
    /// Ids remembered as fetched and refused.
    REFUSED_IDS_MAX: usize = 10_000;
    /// Summaries held for which a comparison costs one request more of the budget of who asks for it.
    RECONCILE_SUMMARIES_PER_REQUEST: usize = 10_000;
    /// Items named in one fetch.
    FETCH_IDS_MAX: usize = 256;
    /// Rounds of one reconciliation session.
    RECONCILE_ROUNDS_MAX: u32 = 64;
    /// Time between two periodic reconciliations with a random peer.
    RECONCILE_EVERY_MS: u64 = 120_000;
    /// Ids that a session may be asked to fetch; more waits for the next session.
    RECONCILE_NEED_MAX: usize = 250_000;

    /// Established connections, inbound and outbound.
    CONNECTIONS_MAX: u32 = 256;
    /// Connections to one peer.
    CONNECTIONS_PER_PEER_MAX: u32 = 4;
    /// Connections that are being established.
    CONNECTIONS_PENDING_MAX: u32 = 64;
    /// Inbound requests being answered, per connection.
    STREAMS_PER_CONNECTION_MAX: usize = 64;
    /// Events of the network that wait for the node.
    NETWORK_QUEUE_MAX: usize = 1024;
    /// Records the node keeps for the distributed hash table.
    RECORDS_MAX: usize = 65_536;
    /// A record of the distributed hash table.
    RECORD_BYTES_MAX: usize = 12 * 1024;

    /// A file that a user imports.
    IMPORT_BYTES_MAX: usize = 1024 * 1024;
    /// A line on the control socket.
    CONTROL_BYTES_MAX: usize = 16 * 1024 * 1024;
    /// Entries in a seeker's trust list.
    TRUST_ENTRIES_MAX: usize = 10_000;
    /// Skills that one entry of a trust list names.
    TRUST_SCOPE_MAX: usize = 256;
    /// A name in a trust list, in bytes of UTF-8.
    TRUST_NAME_BYTES_MAX: usize = 200;
    /// Lists of others that a seeker follows.
    TRUST_LISTS_MAX: usize = 16;
    /// Credentials a home keeps.
    CREDENTIALS_MAX: usize = 1000;

    /// The body of a request to the VC-API: a presentation and the options beside it.
    API_BODY_BYTES_MAX: usize = 1024 * 1024;
    /// Connections to the VC-API at once.
    API_CONNECTIONS_MAX: usize = 64;
    /// How long a client of the VC-API may take over a TLS handshake, and over the head of a request.
    API_HEAD_TIMEOUT_MS: u64 = 10_000;
    /// How long a request to the VC-API may take, its body and what is fetched for it included.
    API_TIMEOUT_MS: u64 = 60_000;
    /// Requests to the VC-API whose documents are being read, signed or verified at once.
    API_WORK_MAX: usize = 4;
    /// Credentials that a home remembers having issued.
    ISSUED_MAX: usize = 1_000_000;
    /// The `id` of a credential that is issued.
    ISSUED_ID_BYTES_MAX: usize = 2048;
    /// Credentials asked for in one command to the node.
    ISSUE_AT_ONCE_MAX: usize = 64;
    /// Rows of one answer about what was issued.
    ISSUED_ROWS_MAX: usize = 4096;
    /// Why a credential's status was changed, in bytes of UTF-8.
    STATUS_REASON_BYTES_MAX: usize = 200;
    /// How long a status list that is signed holds: 30 days.
    STATUS_LIST_VALID_MS: u64 = 2_592_000_000;
    /// How long a reader may keep a status list that is signed.
    STATUS_LIST_TTL_MS: u64 = 3600 * 1000;
    /// A table of people to issue to.
    CSV_BYTES_MAX: usize = 16 * 1024 * 1024;
    /// Rows of a table of people to issue to.
    CSV_ROWS_MAX: usize = 50_000;
    /// Columns of a table of people to issue to.
    CSV_COLUMNS_MAX: usize = 64;
    /// A cell of a table of people to issue to, in bytes of UTF-8.
    CSV_CELL_BYTES_MAX: usize = 2048;
    /// Faults of a table that are told one by one.
    CSV_FAULTS_MAX: usize = 100;
    /// A template of a credential.
    TEMPLATE_BYTES_MAX: usize = 64 * 1024;

    /// A text of a credential, in bytes of UTF-8, as it is shown to a person.
    SHOWN_TEXT_BYTES_MAX: usize = 256;

    /// A signed token in compact form (JWS): a credential of `CREDENTIAL_BYTES_MAX` in base64url fits.
    JWT_BYTES_MAX: usize = 384 * 1024;
    /// A token's header, decoded.
    JWT_HEADER_BYTES_MAX: usize = 16 * 1024;
    /// A token with selectively disclosable claims (SD-JWT), with its disclosures and its key binding.
    SD_JWT_BYTES_MAX: usize = 512 * 1024;
    /// Disclosures of one token.
    SD_JWT_DISCLOSURES_MAX: usize = 256;
    /// A verifier's query (DCQL).
    DCQL_BYTES_MAX: usize = 64 * 1024;
    /// Credentials that a query asks for.
    DCQL_CREDENTIALS_MAX: usize = 32;
    /// Claims that a query asks of one credential.
    DCQL_CLAIMS_MAX: usize = 128;
    /// Alternatives of one thing that a query lists: values, types, sets of claims, sets of credentials, options.
    DCQL_ALTERNATIVES_MAX: usize = 64;
    /// Steps of a path to claims in a query.
    DCQL_PATH_STEPS_MAX: usize = 16;
    /// Claims that one path of a query may lead to.
    DCQL_SELECTED_MAX: usize = 1024;

    /// A vocabulary's table.
    VOCABULARY_BYTES_MAX: usize = 32 * 1024 * 1024;
    /// Skills in a vocabulary.
    VOCABULARY_SKILLS_MAX: usize = 65_536;
    /// A skill's label or alternative label, in bytes of UTF-8.
    VOCABULARY_LABEL_BYTES_MAX: usize = 256;
    /// Alternative labels of one skill.
    VOCABULARY_ALTERNATIVES_MAX: usize = 256;
    /// Skills that one skill names as broader.
    VOCABULARY_BROADER_MAX: usize = 32;
    /// A skill's inverse document frequency, in thousandths of a nat.
    VOCABULARY_IDF_MAX: u32 = 16_000;

    /// Established inbound connections; the rest of `CONNECTIONS_MAX` stays free for our own dials.
    CONNECTIONS_INBOUND_MAX: u32 = 176;
    /// Connected peers below which a node dials more.
    PEERS_LOW: usize = 8;
    /// Peers that a node dialled itself and stays connected to when it closes some.
    PEERS_HIGH: usize = 24;
    /// Peers that a node dialled itself above which it does.
    PEERS_SPARE: usize = 64;
    /// Peers of one group of public addresses in one bucket of the routing table.
    BUCKET_PEERS_PER_GROUP_MAX: usize = 4;
    /// Peers that dialled the node above which it closes some, so that newcomers are let in.
    PEERS_INBOUND_HIGH: usize = 160;
    /// How long a request may take, from its first byte to the last of the response.
    REQUEST_TIMEOUT_MS: u64 = 10_000;
    /// Requests that wait for a connection to their peer.
    REQUESTS_WAITING_MAX: usize = 256;
    /// Bytes of inbound requests being read or waiting to be answered, over all connections; what exceeds them is refused.
    REQUESTS_BYTES_MAX: usize = 64 * 1024 * 1024;
    /// Gossip topics that a node subscribes to; a peer drops a longer list whole.
    TOPICS_MAX: usize = 100;
    /// Announcements of our own that wait for a first subscriber.
    GOSSIP_UNSENT_MAX: usize = 64;
    /// How long an announcement of our own waits for a first subscriber.
    GOSSIP_UNSENT_MS: u64 = 30_000;
    /// The key of a record of the distributed hash table.
    RECORD_KEY_BYTES_MAX: usize = 128;
    /// A message of the distributed hash table: a record and the addresses of twenty peers.
    RECORD_MESSAGE_BYTES_MAX: usize = 64 * 1024;
    /// Records that a node keeps putting on others until they expire.
    RECORDS_PUBLISHED_MAX: usize = 4096;
    /// Time between two puts of the same record.
    RECORD_REPUBLISH_MS: u64 = 3600 * 1000;
    /// Copies of a record after which a look-up stops.
    RECORD_COPIES_MAX: usize = 5;
    /// Look-ups of our own in the distributed hash table that run at once.
    LOOKUPS_MAX: usize = 256;

    /// A status list's bits, expanded.
    STATUS_LIST_BYTES_MAX: usize = 4 * 1024 * 1024;
    /// The fewest entries of a status list, so that asking for it does not say which one is meant.
    STATUS_ENTRIES_MIN: u64 = 131_072;

    /// An image that a badge is taken out of.
    BAKED_BYTES_MAX: usize = 16 * 1024 * 1024;
    /// Pieces of markup in an SVG that a badge is taken out of: tags, and attributes.
    SVG_MARKUP_MAX: usize = 262_144;
    /// Attributes in one tag of an SVG that a badge is taken out of.
    SVG_ATTRIBUTES_MAX: usize = 256;
    /// Declarations of namespaces in an SVG that a badge is taken out of.
    SVG_NAMESPACES_MAX: usize = 256;

    /// Bytes of one text in which names of skills are looked for.
    SUGGESTION_TEXT_BYTES_MAX: usize = 16 * 1024;
    /// Words of a skill's name that is looked for in a text.
    SUGGESTION_WORDS_MAX: usize = 8;
    /// Skills that are suggested for one badge.
    SUGGESTIONS_MAX: usize = 16;
    /// A URL that is fetched.
    FETCH_URL_BYTES_MAX: usize = 2048;
    /// A document that is fetched: a credential, a DID document, a badge.
    FETCH_BYTES_MAX: usize = 1024 * 1024;
    /// A status list that is fetched.
    FETCH_STATUS_LIST_BYTES_MAX: usize = 4 * 1024 * 1024;
    /// Status line and headers of the answer to a fetch.
    FETCH_HEAD_BYTES_MAX: usize = 16 * 1024;
    /// The media type that an answer names (RFC 6838: two names of 127 characters).
    FETCH_MEDIA_TYPE_BYTES_MAX: usize = 255;
    /// How long a fetch may take, from the name's resolution to the last byte, redirects included.
    FETCH_TIMEOUT_MS: u64 = 10_000;
    /// How long connecting may take, with the TLS handshake.
    FETCH_CONNECT_TIMEOUT_MS: u64 = 5_000;
    /// Redirects that one fetch follows.
    FETCH_REDIRECTS_MAX: usize = 3;
    /// Fetches over the network that one verification may cause.
    FETCHES_PER_VERIFICATION_MAX: usize = 16;
    /// Fetches that run at once.
    FETCHES_AT_ONCE_MAX: usize = 4;
    /// Fetched things that are kept on disk.
    CACHE_ENTRIES_MAX: usize = 1024;
    /// Bytes of fetched things that are kept on disk.
    CACHE_BYTES_MAX: u64 = 64 * 1024 * 1024;

    /// Skills taken from one curriculum vitae.
    CV_SKILLS_MAX: usize = 256;
    /// Characters of a skill's name in a curriculum vitae; what is longer is a text about the person.
    CV_SKILL_NAME_CHARS_MAX: usize = 64;
    /// Text about the person in which one curriculum vitae is searched for names of skills.
    CV_TEXT_BYTES_MAX: usize = 64 * 1024;
    /// Sections of a curriculum vitae that are named as dropped.
    CV_SECTIONS_MAX: usize = 32;
    /// Credentials taken from one learner record.
    CLR_CREDENTIALS_MAX: usize = 256;
    /// Associations read from one learner record.
    CLR_ASSOCIATIONS_MAX: usize = 1024;

    /// A public key in PEM.
    PEM_BYTES_MAX: usize = 4096;
    /// Times that one verification asks for what the answers before made it need.
    VERIFICATION_ROUNDS_MAX: usize = 4;
    /// Quads of one JSON-LD document.
    RDF_QUADS_MAX: usize = 10_000;
    /// Bytes of one document's quads, and of the IRIs that its terms expand to.
    RDF_BYTES_MAX: usize = 4 * 1024 * 1024;
    /// Term definitions that the contexts of one document may have copied or made.
    RDF_CONTEXT_TERMS_MAX: usize = 20_000;
    /// Terms of a context of which each is defined by the next.
    RDF_TERM_CHAIN_MAX: usize = 16;
    /// Contexts derived from the bundled ones that are remembered.
    RDF_DERIVED_CONTEXTS_MAX: usize = 256;
    /// Hashed blocks and permuted nodes that telling one document's blank nodes apart may take.
    RDF_WORK_MAX: usize = 30_000;
    /// Blank nodes of which each is told apart by the next.
    RDF_NAMING_DEPTH_MAX: usize = 64;

    /// Proofs in one summary.
    SUMMARY_PROOFS_MAX: usize = 8;
    /// One proof in a summary.
    SUMMARY_PROOF_BYTES_MAX: usize = 3072;
    /// Keys used once that a home makes.
    SINGLE_USE_KEYS_MAX: u32 = 4096;
    /// Presentations given that a home remembers; the oldest make room.
    DISCLOSURES_MAX: usize = 100_000;
    /// Rows of one answer about presentations given.
    DISCLOSED_ROWS_MAX: usize = 1000;

    /// How long the places of cells hold: a day.
    EPOCH_MS: u64 = 24 * 3600 * 1000;
    /// Time before the end of an epoch in which what is kept is also placed for the next.
    EPOCH_OVERLAP_MS: u64 = 3600 * 1000;
    /// How long after its epoch's end a cell is kept, for clocks that are late.
    CELL_GRACE_MS: u64 = 10 * 60 * 1000;
    /// Nodes in each half of a cell that a summary is stored on.
    CELL_REPLICAS: usize = 4;
    /// Others that a cell is compared with at a time.
    CELL_COMPARED: usize = 2;
    /// Nodes beside a crowd that a summary is stored on as well.
    CROWD_REPLICAS: usize = 16;
    /// Nodes beside a crowd whose answers a search wants as well.
    CROWD_ANSWERS: usize = 3;
    /// Nodes of one half of a crowded cell that a search tries.
    CROWD_TRIES_MAX: usize = 16;
    /// Leading bits that a key beside a crowded one has in common with it, at most: finding one takes some 2^bits hashes.
    ASIDE_BITS_MAX: u32 = 16;
    /// Receipts for each skill below which a holder is told that a summary is under-replicated.
    RECEIPTS_MIN: usize = 2;
    /// Nodes nearest to a cell's key that may keep it.
    CELL_NODES_MAX: usize = 20;
    /// Summaries in a cell above which it is split.
    CELL_SPLIT_ABOVE: usize = 20_000;
    /// Summaries in the parts of a cell below which it takes them back.
    CELL_MERGE_BELOW: usize = 8_000;
    /// Splits that lead to a cell: one by country, the others by bits.
    CELL_DEPTH_MAX: usize = 13;
    /// Parts of a cell that one answer names.
    CELL_CHILDREN_MAX: usize = 256;
    /// Cells that a node keeps.
    CELLS_MAX: usize = 16_384;
    /// Summaries that one party may place in a cell at once, after placing none there.
    CELL_PARTY_BURST: u64 = 16;
    /// Time until it may place one more.
    CELL_PARTY_EVERY_MS: u64 = 60_000;
    /// What part of a full cell another node that keeps it may hand over at once: one in so many.
    CELL_HANDED_PART: usize = 4;
    /// Parties whose turns are remembered for one cell.
    CELL_PARTIES_MAX: usize = 4096;
    /// For what part of the summaries that there is room for one recognised issuer may vouch: one in so many.
    ISSUER_PART: usize = 4;
    /// Time between two comparisons of a cell with the others that keep it.
    CELL_TEND_MS: u64 = 10 * 60 * 1000;
    /// How long another node that said that it holds everything is believed.
    FULL_REPLICA_BELIEVED_MS: u64 = 3600 * 1000;
    /// Cells that one request to store names.
    STORE_CELLS_MAX: usize = 64;
    /// Items that one request to store carries.
    STORE_ITEMS_MAX: usize = 32;
    /// Cells and items of a request to store for which it costs one request more of the budget of who sends it.
    STORED_PER_REQUEST: usize = 4;
    /// Look-ups of the places of cells that one publication, or the tending of what is kept, has under way.
    PLACE_LOOKUPS_MAX: usize = 8;
    /// Time until a summary that is under-replicated is placed again; it doubles each time.
    PLACE_AGAIN_MS: u64 = 60_000;
    /// Time after which a summary that is well placed is placed again.
    PLACE_REFRESH_MS: u64 = 4 * 3600 * 1000;
    /// Cells that one search asks.
    SEARCH_CELLS_MAX: usize = 64;
    /// Nodes of one half of a cell that a search tries.
    SEARCH_TRIES_MAX: usize = 6;
    /// Leads of one answer that a request may skip, to read on.
    FIND_SKIP_MAX: usize = 10_000;
    /// How long a search remembers where a cell is.
    ROUTE_MS: u64 = 3600 * 1000;
    /// Places of cells that a node remembers.
    ROUTES_MAX: usize = 1024;
    /// Nodes that may keep something of a view and are asked directly to delete it, besides those that are connected.
    WITHDRAWAL_NODES_MAX: usize = 256;

    /// Relays at which a node that cannot be reached reserves a place.
    RELAYS_MAX: usize = 2;
    /// Places that a relay gives at once.
    RELAY_RESERVATIONS_MAX: usize = 64;
    /// Of these, places of one peer.
    RELAY_RESERVATIONS_PER_PEER_MAX: usize = 2;
    /// How long a place at a relay lasts until it is renewed.
    RELAY_RESERVATION_MS: u64 = 3600 * 1000;
    /// Circuits that a relay carries at once.
    RELAY_CIRCUITS_MAX: usize = 32;
    /// Of these, circuits of one peer.
    RELAY_CIRCUITS_PER_PEER_MAX: usize = 4;
    /// Bytes that one circuit carries, so that a presentation and its question fit.
    RELAY_CIRCUIT_BYTES_MAX: u64 = 2 * 1024 * 1024;
    /// How long one circuit lasts.
    RELAY_CIRCUIT_MS: u64 = 2 * 60 * 1000;
    /// Inbound connections through relays.
    CONNECTIONS_RELAYED_INBOUND_MAX: usize = 32;
    /// Inbound connections from one address group (IPv4 /24, IPv6 /48), those being established included.
    CONNECTIONS_PER_GROUP_MAX: usize = 32;
    /// How long a record of the relays of a node is kept after it was signed.
    WHEREABOUTS_MS: u64 = 2 * 3600 * 1000;
    /// Peers whose addresses are remembered across restarts.
    PEERS_REMEMBERED_MAX: usize = 128;
    /// A text by which a peer says what it is, as far as it is kept.
    PEER_TEXT_BYTES_MAX: usize = 64;
    /// Connections to the endpoint for metrics at once.
    METRICS_CONNECTIONS_MAX: usize = 8;
    /// The head of a request for metrics.
    METRICS_HEAD_BYTES_MAX: usize = 8 * 1024;
    /// How long a request for metrics may take.
    METRICS_TIMEOUT_MS: u64 = 5_000;
}
