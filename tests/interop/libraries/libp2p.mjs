// js-libp2p: a node over TCP, noise and yamux that identifies, pings, gossips, looks records up, and opens streams.
import './polyfills.mjs';

import {noise} from '@chainsafe/libp2p-noise';
import {yamux} from '@chainsafe/libp2p-yamux';
import {generateKeyPairFromSeed} from '@libp2p/crypto/keys';
import {StrictNoSign, StrictSign, gossipsub} from '@libp2p/gossipsub';
import {identify} from '@libp2p/identify';
import {kadDHT, passthroughMapper} from '@libp2p/kad-dht';
import {ping} from '@libp2p/ping';
import {tcp} from '@libp2p/tcp';
import {multiaddr} from '@multiformats/multiaddr';
import {createLibp2p} from 'libp2p';

const PATIENCE_MS = 20_000;
const POLL_MS = 25;

/** Waits until `look` returns something. */
export async function until(what, look) {
  const end = Date.now() + PATIENCE_MS;
  for(;;) {
    const found = await look();
    if(found) {
      return found;
    }
    if(Date.now() > end) {
      throw new Error(`waited in vain: ${what}`);
    }
    await new Promise(resolve => setTimeout(resolve, POLL_MS));
  }
}

export class Peer {
  #node;
  #identified = new Map();
  static #started = [];
  /** What came by gossip, in the order in which it came: `topic` and `data`. */
  received = [];

  /**
   * A node of its own. `messageId` names gossip messages; `validate` throws for a record under a key that is not to be
   * believed. With `listen`, others can dial
   * it; `signed`, its gossip names its author.
   */
  static async start({messageId, validate = () => {}, listen = false, signed = false, seed = crypto.getRandomValues(new Uint8Array(32))}) {
    const peer = new Peer();
    Peer.#started.push(peer);
    peer.#node = await createLibp2p({
      privateKey: await generateKeyPairFromSeed('Ed25519', seed),
      addresses: {listen: listen ? ['/ip4/127.0.0.1/tcp/0'] : []},
      transports: [tcp()],
      connectionEncrypters: [noise()],
      streamMuxers: [yamux()],
      services: {
        identify: identify(),
        ping: ping(),
        dht: kadDHT({
          protocol: '/knack/kad/1', clientMode: true, peerInfoMapper: passthroughMapper,
          validators: {knack: async(key, value) => validate(key, value)}, selectors: {knack: () => 0}
        }),
        pubsub: gossipsub({
          globalSignaturePolicy: signed ? StrictSign : StrictNoSign, allowPublishToZeroTopicPeers: false,
          msgIdFn: ({topic, data}) => messageId(topic, data)
        })
      }
    });
    peer.#node.addEventListener('peer:identify', ({detail}) => peer.#identified.set(detail.peerId.toString(), detail));
    peer.#node.services.pubsub.addEventListener('gossipsub:message', ({detail: {msg: {topic, data}}}) =>
      peer.received.push({topic, data}));
    return peer;
  }

  get id() {
    return this.#node.peerId.toString();
  }

  /** Where it listens. */
  get address() {
    return this.#node.getMultiaddrs()[0].toString();
  }

  /** Connects: how the connection is secured and shared, and what the other says of itself. */
  async dial(address) {
    const {remotePeer, encryption, multiplexer} = await this.#node.dial(multiaddr(address));
    const said = await until('identify', () => this.#identified.get(remotePeer.toString()));
    return {
      id: remotePeer.toString(), encryption, multiplexer, agent: said.agentVersion, version: said.protocolVersion,
      protocols: said.protocols, listen: said.listenAddrs.map(String)
    };
  }

  /** The milliseconds that an echo takes. */
  ping(address) {
    return this.#node.services.ping.ping(multiaddr(address));
  }

  /** Whether there is a connection. */
  isConnected(id) {
    return this.#node.getPeers().some(peer => peer.toString() === id);
  }

  /** Subscribes to a topic, and waits until the other has this node in its mesh. */
  async join(topic, id) {
    const {pubsub} = this.#node.services;
    pubsub.subscribe(topic);
    await until(`a mesh for ${topic}`, () => pubsub.getMeshPeers(topic).includes(id));
  }

  /** Publishes to whoever subscribes to a topic, once somebody does and can be reached: the library drops what it cannot send. */
  async publish(topic, data) {
    const {pubsub} = this.#node.services;
    await until(`a subscriber to ${topic}`, () =>
      pubsub.getSubscribers(topic).some(peer => pubsub.streamsOutbound.has(peer.toString())));
    const {recipients} = await pubsub.publish(topic, data);
    if(recipients.length === 0) {
      throw new Error('nobody was sent it');
    }
  }

  /** The values that the hash table has under a key, once nodes of it are known. */
  async records(key) {
    const {dht} = this.#node.services;
    await until('a node of the hash table', () => dht.routingTable.size > 0);
    const values = [];
    for await (const {name, value} of dht.get(key)) {
      if(name === 'VALUE') {
        values.push(value);
      }
    }
    return values;
  }

  /** Asks the nearest nodes to keep a record: how many said that they did. */
  async put(key, value) {
    const {dht} = this.#node.services;
    await until('a node of the hash table', () => dht.routingTable.size > 0);
    let taken = 0;
    for await (const {name, messageName} of dht.put(key, value)) {
      taken += Number(name === 'PEER_RESPONSE' && messageName === 'PUT_VALUE');
    }
    return taken;
  }

  /** Answers what is asked over a protocol: `answer` gets all that was written, and returns what is to be. */
  async serve(protocol, isWhole, answer) {
    await this.#node.handle(protocol, async stream => {
      let bytes = Buffer.alloc(0);
      for await (const part of stream) {
        bytes = Buffer.concat([bytes, part.subarray()]);
        if(isWhole(bytes)) {
          stream.send(answer(bytes));
          break;
        }
      }
      await stream.close();
    });
  }

  /**
   * Writes bytes on a new stream, and closes it for writing unless `open`: all that the other writes until it closes.
   * Throws when the other refuses the protocol or resets the stream.
   */
  async exchange(address, protocol, bytes, {open = false} = {}) {
    const stream = await this.#node.dialProtocol(multiaddr(address), protocol, {maxOutboundStreams: 1000});
    const parts = [];
    const reading = (async() => {
      for await (const part of stream) {
        parts.push(part.subarray());
      }
    })();
    // What the other ends while it is written to shows when it is read.
    reading.catch(() => {});
    for(let at = 0; at < bytes.length || at === 0; at += 65_536) {
      if(!stream.send(bytes.subarray(at, at + 65_536))) {
        await stream.onDrain();
      }
    }
    if(!open) {
      await stream.close();
    }
    await reading;
    return Buffer.concat(parts);
  }

  stop() {
    return this.#node.stop();
  }

  /** Stops all that were started: one that runs keeps its process from ending. */
  static async stopAll() {
    await Promise.all(Peer.#started.map(peer => peer.#node?.stop()));
  }
}
