"""py-libp2p: a node over TCP, noise and yamux that identifies, pings, gossips, looks records up, and opens streams."""

import logging
import sys
from contextlib import asynccontextmanager, suppress
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "stand_ins"))

import trio  # noqa: E402
from libp2p import new_host  # noqa: E402
from libp2p.host.ping import PingService  # noqa: E402
from libp2p.identity.identify.pb.identify_pb2 import Identify  # noqa: E402
from libp2p.kad_dht import common, kad_dht, peer_routing, provider_store, value_store  # noqa: E402
from libp2p.network.stream.exceptions import StreamEOF, StreamError  # noqa: E402
from libp2p.peer.peerinfo import info_from_p2p_addr  # noqa: E402
from libp2p.pubsub.gossipsub import GossipSub  # noqa: E402
from libp2p.pubsub.pb import rpc_pb2  # noqa: E402
from libp2p.pubsub.pubsub import Pubsub  # noqa: E402
from libp2p.records.validator import NamespacedValidator, Validator  # noqa: E402
from libp2p.tools.anyio_service import background_trio_service  # noqa: E402
from libp2p.utils import decode_varint_with_size  # noqa: E402
from multiaddr import Multiaddr  # noqa: E402

PATIENCE_SECONDS = 20
POLL_SECONDS = 0.05

logging.getLogger("libp2p").setLevel(logging.CRITICAL)

# The library knows the public hash table alone: its name is a constant, which each module has taken for itself.
for module in (common, kad_dht, peer_routing, provider_store, value_store):
    module.PROTOCOL_ID = "/knack/kad/1"


async def until(what, look):
    """Waits until `look` returns something."""
    with trio.move_on_after(PATIENCE_SECONDS):
        while True:
            if found := await look():
                return found
            await trio.sleep(POLL_SECONDS)
    raise AssertionError(f"waited in vain: {what}")


class _Records(Validator):
    """Believes what `validate`, which raises for anything else, lets pass."""

    def __init__(self, validate):
        self._validate = validate

    def validate(self, key, value):
        self._validate(key, value)

    def select(self, key, values):
        return 0


class Peer:
    """A node of its own; `start` runs it."""

    def __init__(self, message_id, validate):
        self._host = new_host(muxer_preference="YAMUX")
        router = GossipSub(["/meshsub/1.1.0"], degree=6, degree_low=4, degree_high=12, heartbeat_interval=1)
        self._pubsub = Pubsub(
            self._host, router, strict_signing=False, msg_id_constructor=lambda m: message_id(m.topicIDs[0], m.data)
        )
        self._router = router
        self._dht = kad_dht.KadDHT(
            self._host,
            kad_dht.DHTMode.CLIENT,
            validator=NamespacedValidator({"knack": _Records(validate)}),
            validator_changed=True,
            protocol_prefix="/knack",
        )
        self.received = []
        """What came by gossip, in the order in which it came: topic and data."""

    @classmethod
    @asynccontextmanager
    async def start(cls, message_id, validate=lambda key, value: None):
        peer = cls(message_id, validate)
        async with (
            peer._host.run(listen_addrs=[]),
            background_trio_service(peer._pubsub),
            background_trio_service(peer._router),
            background_trio_service(peer._dht),
            trio.open_nursery() as nursery,
        ):
            peer._nursery = nursery
            await peer._pubsub.wait_until_ready()
            yield peer
            nursery.cancel_scope.cancel()

    @property
    def id(self):
        return self._host.get_id().to_bytes()

    async def dial(self, address):
        """Connects: what the other says of itself."""
        info = info_from_p2p_addr(Multiaddr(address))
        await self._host.connect(info)
        said = await self.exchange(address, "/ipfs/id/1.0.0", b"")
        identified = Identify()
        identified.ParseFromString(said[decode_varint_with_size(said)[1] :])
        await self._dht.routing_table.add_peer(info)
        return {
            "agent": identified.agent_version,
            "version": identified.protocol_version,
            "protocols": list(identified.protocols),
            "listen": [str(Multiaddr(listen)) for listen in identified.listen_addrs],
        }

    async def ping(self, address):
        """The microseconds that an echo takes."""
        [took] = await PingService(self._host).ping(info_from_p2p_addr(Multiaddr(address)).peer_id)
        return took

    async def join(self, topic, address):
        """Subscribes to a topic, and waits until the other is in the mesh."""
        subscription = await self._pubsub.subscribe(topic)
        other = info_from_p2p_addr(Multiaddr(address)).peer_id

        async def receive():
            while True:
                message = await subscription.get()
                self.received.append((topic, message.data))

        self._nursery.start_soon(receive)

        async def meshed():
            return other in self._router.mesh.get(topic, ())

        await until(f"a mesh for {topic}", meshed)

    async def publish(self, topic, data, forget=True, **named):
        """Publishes, once somebody subscribes and can be reached. The library's own `publish` names the author, which `named` does here.

        It takes the second message without an author for one that contradicts the first, and drops it unless made to `forget`.
        """

        async def subscribed():
            return set(self._pubsub.peer_topics.get(topic, ())) & set(self._pubsub.peers)

        await until(f"a subscriber to {topic}", subscribed)
        if forget:
            self._router.equivocation_detection.clear()
        message = rpc_pb2.Message(data=data, topicIDs=[topic], **named)
        await self._pubsub.push_msg(self._host.get_id(), message)

    async def record(self, key):
        """The value that the hash table has under a key."""
        return await self._dht.get_value(key)

    async def exchange(self, address, protocol, data, open=False):
        """Writes bytes on a new stream, and closes it for writing unless `open`: all that the other writes until it closes."""
        stream = await self._host.new_stream(info_from_p2p_addr(Multiaddr(address)).peer_id, [protocol])
        try:
            await stream.write(data)
            if not open:
                await stream.close_write()
            answer = b""
            with trio.fail_after(PATIENCE_SECONDS), suppress(StreamEOF):
                while part := await stream.read(65_536):
                    answer += part
            return answer
        finally:
            await stream.reset()
