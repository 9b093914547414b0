"""A real node that keeps cells, and py-libp2p with what second.py reads: what is stored there, promised, found, and refused."""

import os
import unittest
import warnings

import second
from knack import Home, cases, expand
from py_libp2p import Peer, StreamError
from second import cell_key, decode, encode, epoch, framed, sign, unframed
from test_libp2p import networked, stated

RPC = "/knack/rpc/1"
CELL_PARTY_BURST = 16
STORE_CELLS_MAX = 64
SKILL = "urn:knackmesh:skill:python-cells"
NOT_KEPT = {"refused": "not_kept"}


def setUpModule():
    global keeper
    # The library leaves its sockets to the collector.
    warnings.simplefilter("ignore", ResourceWarning)
    keeper = Home(replica="cells").up()


def tearDownModule():
    keeper.stop()


def start():
    return Peer.start(second.message_id)


def cell(skill, **fields):
    return {"skill": skill, "path": "", "half": 0, "epoch": epoch(), **fields}


def envelope(*skills):
    """A new view's summary that claims these skills."""
    secret = os.urandom(32)
    claims = [{"skill": skill, "level": 3, "tier": "claimed"} for skill in skills]
    return sign("summary", stated(secret, content={"claims": claims, "headline": "Cells", "terms": {}}), secret)


def store_of(cells, summaries):
    return {"store": {"cells": cells, "items": [{"summary": summary} for summary in summaries]}}


async def request(peer, content):
    return decode(unframed(await peer.exchange(keeper.address, RPC, framed(encode(content)))))


async def find(peer, at):
    query = {"skill": {"any_of": [at["skill"]], "min": 1, "max": 5}}
    return await request(peer, {"find": {"query": query, "limit": 200, "cell": at}})


@expand
class Cells(unittest.TestCase):
    async def promised(self, peer, cells, summaries, outcomes):
        """Stores: each cell has its outcome, and the receipt is the node's, for the cells that are kept and what is in them."""
        stored = (await request(peer, store_of(cells, summaries)))["stored"]
        self.assertEqual(stored["cells"], outcomes)
        receipt, _ = second.opened("receipt", stored["receipt"])
        self.assertEqual(set(receipt), {"node", "cells", "items", "at"})
        self.assertEqual(second.did_key(receipt["node"]), second.did_key(second.node_key(keeper.id)))
        kept = [at for at, outcome in zip(cells, outcomes, strict=True) if outcome == "kept"]
        self.assertEqual(receipt["cells"], sorted(map(cell_key, kept)))
        self.assertEqual(receipt["items"], sorted(second.digest(summary["body"]) for summary in summaries if kept))
        self.assertLess(abs(receipt["at"] - second.now_ms()), second.CLOCK_SKEW_MAX_MS)

    async def has(self, peer, at, summaries):
        leads = (await find(peer, at))["leads"]
        found = [second.opened("summary", decode(lead))[1] for lead in leads["summaries"]]
        self.assertEqual(sorted(found), sorted(second.digest(summary["body"]) for summary in summaries))
        self.assertEqual((leads["cell"], leads["replica"]), ({"count": len(summaries)}, "cells"))

    @networked
    async def test_stores_in_both_halves_and_finds_in_both(self):
        skill = f"{SKILL}-both"
        summary = envelope(skill)
        halves = [cell(skill, half=half) for half in (0, 1)]
        async with start() as peer, start() as seeker:
            await peer.dial(keeper.address)
            await seeker.dial(keeper.address)
            await self.promised(peer, halves, [summary], ["kept", "kept"])
            for at in halves:
                await self.has(seeker, at, [summary])
            for at in (cell(skill, path="-"), cell(skill, epoch=epoch() + 1), cell(f"{SKILL}-nobody")):
                self.assertEqual(await find(seeker, at), NOT_KEPT)

    @networked
    async def test_what_does_not_belong_there_is_not_current(self):
        skill = f"{SKILL}-elsewhere"
        async with start() as peer:
            await peer.dial(keeper.address)
            for at in (cell(skill, epoch=epoch() + 2), cell(skill, epoch=0), cell(skill, path="DE"), cell(f"{SKILL}-other")):
                await self.promised(peer, [at], [envelope(skill)], [{"refused": "not_current"}])
                self.assertEqual(await find(peer, at), NOT_KEPT)

    @networked
    async def test_a_party_has_its_turns(self):
        at = cell(f"{SKILL}-turns")
        summaries = [envelope(at["skill"]) for _ in range(CELL_PARTY_BURST)]
        late = envelope(at["skill"])
        async with start() as peer, start() as other:
            await peer.dial(keeper.address)
            await other.dial(keeper.address)
            for summary in summaries:
                await self.promised(peer, [at], [summary], ["kept"])
            await self.promised(peer, [at], [late], [{"refused": "busy"}])
            await self.has(peer, at, summaries)
            await self.promised(other, [at], [late], ["kept"])
            await self.has(peer, at, [*summaries, late])

    @cases([
        ("too many cells", lambda good: {"cells": [cell(f"{SKILL}-{n}") for n in range(STORE_CELLS_MAX + 1)]}),
        ("a third half", lambda good: {"cells": [cell(SKILL, half=2)]}),
        ("no path", lambda good: {"cells": [cell(SKILL, path="Germany")]}),
        ("a null", lambda good: {"cells": [cell(SKILL, path=None)]}),
        ("a forged summary", lambda good: {"items": [{"summary": {**good["items"][0]["summary"], "signature": bytes(64)}}]}),
        ("no item", lambda good: {"items": [b"summary"]}),
    ])
    @networked
    async def unfit(self, name, change):
        at = cell(f"{SKILL}-{name.replace(' ', '-')}")
        summary = envelope(at["skill"])
        good = store_of([at], [summary])["store"]
        async with start() as peer:
            await peer.dial(keeper.address)
            self.assertEqual(await request(peer, {"store": {**good, **change(good)}}), {"refused": "malformed"})
            self.assertEqual(await find(peer, at), NOT_KEPT)
            await self.promised(peer, [at], [summary], ["kept"])

    @networked
    async def test_oversize_has_no_answer_and_harms_nobody(self):
        at = cell(f"{SKILL}-oversize")
        long = framed(encode(store_of([cell(f"{SKILL}-{n}") for n in range(20_000)], [envelope(at["skill"])])))
        self.assertGreater(len(long), second.MESSAGE_BYTES_MAX)
        async with start() as peer:
            await peer.dial(keeper.address)
            try:
                # As much as says how long it is, and some.
                self.assertEqual(await peer.exchange(keeper.address, RPC, long[:1000]), b"")
            except StreamError:
                pass
            self.assertEqual(await find(peer, at), NOT_KEPT)
            await self.promised(peer, [at], [envelope(at["skill"])], ["kept"])
