"""Real nodes, and py-libp2p with what second.py reads: found, read and asked; and what nodes must refuse of it."""

import functools
import os
import unittest
import warnings

import second
import trio
from knack import Home
from py_libp2p import Peer, StreamError, until
from second import decode, encode, framed, is_current, read_item, record_key, sign, topic_of, unframed

RPC = "/knack/rpc/1"
RUST = "urn:knackmesh:onet:43232402:rust"
FIND = {"find": {"query": {"skill": {"any_of": [RUST], "min": 1, "max": 5}}, "limit": 10}}
HOUR_MS = 3_600_000
GROWTH_BYTES_MAX = 96 * 1024 * 1024

issuer, holder, other = Home(), Home(), Home()
holder.hold(issuer.issue(holder.did, "--skill", "rust", "--level", "4"))
VIEW = second.key_of(holder.succeed("status")["view"])


def setUpModule():
    global holders, others
    # The library leaves its sockets to the collector.
    warnings.simplefilter("ignore", ResourceWarning)
    holders = holder.up()
    others = other.up(holders.address)


def tearDownModule():
    holders.stop()
    others.stop()


def networked(test):
    """A test on this library's event loop. Of what goes wrong there, the first thing is told without what surrounds it."""

    @functools.wraps(test)
    def run(self, *row):
        try:
            trio.run(test, self, *row)
        except BaseException as error:  # a group of them where nurseries were open, which older versions of Python do not know
            while parts := getattr(error, "exceptions", None):
                error = parts[0]
            raise error from None

    return run


async def ask(home, *args):
    """A command that must not fail, without keeping this process from its own network meanwhile."""
    return await trio.to_thread.run_sync(lambda: home.succeed(*args))


def validate(key, value):
    _, statement, _ = read_item(value)
    if record_key(statement["view"]) != key or not is_current(statement):
        raise ValueError("it does not belong here")


def start():
    return Peer.start(second.message_id, validate)


async def request(peer, node, content):
    return decode(unframed(await peer.exchange(node.address, RPC, framed(encode(content)))))


def new_view(topic=None):
    """A new view, whose summaries travel on a topic."""
    while True:
        secret = os.urandom(32)
        if topic is None or topic_of("summary", second.public_key(secret)) == topic:
            return secret


def stated(secret, **fields):
    """A legal summary, in which `fields` replace what it states."""
    issued = second.now_ms()
    return {
        "view": second.public_key(secret),
        "sequence": issued,
        "issued": issued,
        "expires": issued + HOUR_MS,
        "content": {"claims": [{"skill": RUST, "level": 5, "tier": "claimed"}], "headline": "Rust", "terms": {}},
        "reach": {"direct": bytes.fromhex("002408011220") + bytes(32)},
        "present": "ask",
        "consent": bytes(32),
        **fields,
    }


def item(secret, domain="summary", **fields):
    return encode({"summary": sign(domain, stated(secret, **fields), secret)})


class Libp2p(unittest.TestCase):
    @networked
    async def test_dials_identifies_and_pings(self):
        async with start() as peer:
            said = await peer.dial(others.address)
            self.assertRegex(said["agent"], r"^knackmesh/")
            self.assertEqual(said["version"], "/knack/id/1")
            self.assertEqual(said["listen"], [others.address.split("/p2p/")[0]])
            self.assertLessEqual({RPC, "/knack/kad/1", "/meshsub/1.1.0", "/ipfs/ping/1.0.0"}, set(said["protocols"]))
            self.assertGreaterEqual(await peer.ping(others.address), 0)

    @networked
    async def test_hears_reads_and_asks(self):
        topic = topic_of("summary", VIEW)
        async with start() as peer:
            await peer.dial(others.address)
            await peer.join(topic, others.address)
            await until("two nodes", functools.partial(connected, holder))
            await ask(holder, "publish", "--for", "1h")
            data = await until("an announcement", functools.partial(first, peer))
            kind, statement, id = read_item(data)
            self.assertEqual((kind, statement["view"]), ("summary", VIEW))
            self.assertEqual([(c["skill"], c["level"]) for c in statement["content"]["claims"]], [(RUST, 4)])

            leads = (await request(peer, others, FIND))["leads"]
            self.assertIn(id, [second.opened("summary", decode(lead))[1] for lead in leads["summaries"]])
            self.assertEqual(await until("a record", lambda: peer.record(record_key(VIEW))), data)
            self.assertIsNone(await peer.record(record_key(bytes(32))))

    @networked
    async def test_announces_and_withdraws(self):
        secret = new_view()
        view = second.public_key(secret)
        async with start() as peer:
            await peer.dial(others.address)
            await peer.publish(topic_of("summary", view), item(secret))

            async def found():
                results = (await ask(holder, "query", "rust", "--deadline", "2s"))["results"]
                return second.did_key(view) in [result["view"] for result in results]

            await until("it is found", found)
            now = second.now_ms()
            withdrawn = sign("tombstone", {"view": view, "ceiling": now, "issued": now, "until": now + HOUR_MS}, secret)
            answer = await request(peer, others, {"withdraw": withdrawn})
            acknowledged, _ = second.opened("acknowledgement", answer["deleted"])
            self.assertEqual(acknowledged["tombstone"], second.digest(withdrawn["body"]))
            self.assertEqual(second.did_key(acknowledged["node"]), second.did_key(second.node_key(others.id)))
            self.assertFalse(await found_by(peer, view))

    @networked
    async def test_what_is_not_to_be_passed_on_goes_nowhere(self):
        topic = "/knack/1/announce/7"
        secret = new_view(topic)
        good = item(secret)
        unfit = {
            "garbage": b"garbage",
            "one byte too many": good + b"\0",
            "not canonical": b"\xb8\x01" + good[1:],
            "a changed signature": good[:-1] + bytes([good[-1] ^ 1]),
            "of another domain": item(secret, "tombstone"),
            "with a name": item(secret, name="Ada"),
            "one that ended": item(secret, issued=second.now_ms() - HOUR_MS, expires=second.now_ms() - 1),
            "too long": bytes(20_000),
        }
        before = others.memory()
        async with start() as watcher:
            await watcher.dial(others.address)
            await watcher.join(topic, others.address)
            held = (await request(watcher, others, FIND))["leads"]["held"]
            for name, data in unfit.items():
                with self.subTest(name):
                    async with start() as peer:
                        await peer.dial(others.address)
                        await peer.publish(topic, data)
                        # The same peer's next message shows that this one has been judged, unless its stream is gone with it.
                        if len(data) < 20_000:
                            await comes_through(watcher, peer, topic)
                            held += 1
                    self.assertEqual(watcher.received, [])
            async with start() as peer:
                await peer.dial(others.address)
                # As the library publishes when it is left alone, with an author.
                await peer.publish(topic, item(new_view(topic)), from_id=peer.id, seqno=bytes(8))
                await comes_through(watcher, peer, topic)
            self.assertEqual(watcher.received, [])
            self.assertEqual((await request(watcher, others, FIND))["leads"]["held"], held + 1)
        self.assertLess(others.memory() - before, GROWTH_BYTES_MAX)

    @networked
    async def test_theirs_drop_a_second_message_without_an_author(self):
        topic = "/knack/1/announce/8"
        async with start() as watcher, start() as peer:
            await watcher.dial(others.address)
            await watcher.join(topic, others.address)
            await peer.dial(others.address)
            first, second, third = (item(new_view(topic)) for _ in range(3))
            await peer.publish(topic, first)
            await peer.publish(topic, second, forget=False)
            await peer.publish(topic, third)
            await until("the third", functools.partial(heard, watcher, third))
            self.assertEqual([data for _, data in watcher.received], [first, third])

    @networked
    async def test_what_is_no_request_is_refused(self):
        forged = {"body": encode(stated(new_view())), "signature": bytes(64)}
        find = framed(encode(FIND))
        async with start() as peer:
            await peer.dial(others.address)
            for data in (b"", b"garbage", b"\xb8\x01" + encode(FIND)[1:], bytes(1_048_576), encode({"withdraw": forged})):
                self.assertEqual(decode(unframed(await peer.exchange(others.address, RPC, framed(data)))), {"refused": "malformed"})
            for data in (b"", b"\xff" * 64, framed(bytes(1_048_577))[:4], find[:-1]):
                self.assertEqual(await ended(peer, data), b"")
            for protocol in ("/knack/rpc/2", "/ipfs/kad/1.0.0"):
                with self.assertRaises(Exception):
                    await peer.exchange(others.address, protocol, find)
            self.assertIn("leads", await request(peer, others, FIND))
        async with start() as stranger:
            await stranger.dial(others.address)
            self.assertIn("leads", await request(stranger, others, FIND))


async def connected(home):
    return (await ask(home, "status"))["peers"] > 0


async def first(peer):
    return peer.received and peer.received[0][1]


async def heard(peer, data):
    return data in [received for _, received in peer.received]


async def comes_through(watcher, peer, topic):
    """A good message of a peer is passed on to the watcher; then it is taken away there."""
    data = item(new_view(topic))
    await peer.publish(topic, data)
    await until("a good message", functools.partial(heard, watcher, data))
    watcher.received.remove((topic, data))


async def found_by(peer, view):
    leads = (await request(peer, others, FIND))["leads"]["summaries"]
    return view in [second.opened("summary", decode(lead))[0]["view"] for lead in leads]


async def ended(peer, data):
    """What is answered to what is no frame: nothing, and the stream is closed or reset."""
    try:
        return await peer.exchange(others.address, RPC, data)
    except StreamError:
        return b""
