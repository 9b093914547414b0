// The program under test, as a person uses it: each home is a folder of its own, everything goes through the command line.
// Folders and servers end with the process.
import assert from 'node:assert/strict';
import {execFile, spawn, spawnSync} from 'node:child_process';
import {once} from 'node:events';
import {existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {promisify} from 'node:util';

const PROGRAM = process.env.KNACK;
const TIMEOUT_MS = 30_000;

// Whoever ends this process ends what it has started.
for(const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => process.exit(1));
}

/** Exit code of `knack verify` and `knack import` for what is not verified. */
export const NOT_VERIFIED = 3;

export class Home {
  #folder = mkdtempSync(join(tmpdir(), 'knack-interop-'));
  #files = 0;

  /** A new home, with keys of its own. Below `statusUrl` it publishes status lists; `replica` is what its node keeps of others. */
  constructor({statusUrl, replica} = {}) {
    process.once('exit', () => rmSync(this.#folder, {recursive: true, force: true}));
    assert.ok(PROGRAM, 'KNACK names the program; tests/interop/run sets it');
    /** The DID that signs what this home issues, and that credentials about its owner name. */
    this.did = this.succeed('init').did;
    if(statusUrl) {
      this.#set('[issuer]', `[issuer]\nstatus_url = "${statusUrl}"`);
    }
    if(replica) {
      this.#set('replica = "auto"', `replica = "${replica}"`);
    }
  }

  /** Runs a command: its exit code, what it printed as JSON, and its talk on stderr. */
  run(...args) {
    const {status, stdout, stderr, error} = spawnSync(
      PROGRAM, this.#arguments(args), {encoding: 'utf8', timeout: TIMEOUT_MS});
    if(error) {
      throw error;
    }
    return {status, output: stdout.trim() ? JSON.parse(stdout) : undefined, stderr};
  }

  /** What a command printed that must not fail. */
  succeed(...args) {
    const {status, output, stderr} = this.run(...args);
    assert.equal(status, 0, `knack ${args.join(' ')}: ${stderr}`);
    return output;
  }

  /** The text of a credential about `subject`, signed here. */
  issue(subject, ...args) {
    const file = this.file('');
    this.succeed('issue', '--to', subject, '--out', file, ...args);
    return readFileSync(file, 'utf8').trim();
  }

  /** `knack verify` of a text, or of a value written as JSON, asking nobody. */
  verify(document, ...args) {
    return this.run('verify', '--offline', this.file(document), ...args);
  }

  /** `knack import` of a text, or of a value written as JSON. */
  import(credential) {
    return this.run('import', this.file(credential));
  }

  /** `knack present` to who asked: for each part of a query, or for all, a presentation and what of it is disclosed. */
  present({challenge, domain}, ...args) {
    return this.succeed('present', '--challenge', challenge, '--domain', domain, ...args);
  }

  /** `knack verify` of a presentation that was made for who asked: whether it is verified, and what was found. */
  verifyPresentation(presentation, {challenge, domain}) {
    const {status, output} = this.verify(presentation, '--challenge', challenge, '--domain', domain);
    assert.ok(status === 0 || status === NOT_VERIFIED, `exit code ${status}`);
    assert.ok(status === NOT_VERIFIED || output.presentation.binding === 'PASS');
    return {verified: status === 0, ...output};
  }

  /** This home's status lists, signed now: the text of each, by its purpose. */
  statusLists(format) {
    const folder = mkdtempSync(join(this.#folder, 'lists-'));
    const lists = this.succeed('status-list', 'export', '--out', folder, '--format', format);
    return Object.fromEntries(lists.map(({purpose, file}) => [purpose, readFileSync(file, 'utf8').trim()]));
  }

  /** A new file with a text, or with a value written as JSON. */
  file(content) {
    const file = join(this.#folder, `${this.#files++}`);
    writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
    return file;
  }

  /** Serves this home's VC-API, for as long as the tests run. */
  async serve() {
    const server = new Server(PROGRAM, this.#arguments(['serve', 'vc-api', '--listen', '127.0.0.1:0']));
    await server.ready;
    return server;
  }

  /** Runs this home's node on loopback, for as long as the tests run; `bootstrap` are the addresses of others. */
  async up(...bootstrap) {
    const dialled = bootstrap.flatMap(address => ['--bootstrap', address]);
    const node = new Node(PROGRAM, ['--home', join(this.#folder, 'home'), 'up', '--listen', '/ip4/127.0.0.1/tcp/0', ...dialled]);
    await node.ready;
    return node;
  }

  /** What a command printed that must not fail, without keeping this process from its own network meanwhile. */
  async ask(...args) {
    const {stdout} = await promisify(execFile)(PROGRAM, this.#arguments(args), {timeout: TIMEOUT_MS});
    return JSON.parse(stdout);
  }

  /** The version of the program. */
  version() {
    return spawnSync(PROGRAM, ['--version'], {encoding: 'utf8'}).stdout.split(/\s/)[1];
  }

  /** Replaces a line of the settings, which must be there. */
  #set(line, lines) {
    const file = join(this.#folder, 'home', 'config.toml');
    const settings = readFileSync(file, 'utf8');
    assert.ok(settings.includes(line), `${line} in ${settings}`);
    writeFileSync(file, settings.replace(line, lines));
  }

  #arguments(args) {
    return ['--home', join(this.#folder, 'home'), '--json', ...args];
  }
}

/** A node that runs: its `address`, with its peer id. */
class Node {
  #process;
  #said = '';

  constructor(program, args) {
    this.#process = spawn(program, args, {stdio: ['ignore', 'pipe', 'pipe']});
    process.once('exit', () => this.#process.kill('SIGKILL'));
    this.#process.stderr.on('data', data => this.#said += data);
    this.ready = new Promise((resolve, reject) => {
      let lines = '';
      this.#process.stdout.on('data', data => {
        lines += data;
        if(lines.endsWith('ready\n')) {
          [this.address] = lines.split('\n');
          this.id = this.address.split('/p2p/')[1];
          // It does not keep the tests from ending.
          for(const handle of [this.#process, this.#process.stdout, this.#process.stderr]) {
            handle.unref();
          }
          resolve();
        }
      });
      this.#process.on('exit', code => reject(new Error(`knack up ended with ${code}: ${this.#said}`)));
    });
  }

  /** The bytes of memory that it has now, where the system tells; else 0. */
  memory() {
    const file = `/proc/${this.#process.pid}/statm`;
    return existsSync(file) ? Number(readFileSync(file, 'utf8').split(' ')[1]) * 4096 : 0;
  }

  /** Ends it, cleanly, having said nothing of a panic. */
  async stop() {
    assert.equal(this.#process.exitCode, null, `it has ended: ${this.#said}`);
    const ended = once(this.#process, 'exit');
    this.#process.ref();
    this.#process.kill();
    const [code] = await ended;
    assert.equal(code, 0, 'a node that is told to end does so cleanly');
    assert.ok(!this.#said.includes('panicked'), this.#said);
  }
}

/** A VC-API that runs, at `url`, and issues as `did`. */
class Server {
  #process;

  constructor(program, args) {
    this.#process = spawn(program, args, {stdio: ['ignore', 'pipe', 'ignore']});
    process.once('exit', () => this.#process.kill());
    this.ready = new Promise((resolve, reject) => {
      let line = '';
      this.#process.stdout.on('data', data => {
        line += data;
        if(line.includes('\n')) {
          ({url: this.url, did: this.did} = JSON.parse(line));
          // It does not keep the tests from ending.
          this.#process.unref();
          this.#process.stdout.unref();
          resolve();
        }
      });
      this.#process.on('exit', code => reject(new Error(`knack serve ended with ${code}`)));
    });
  }

  /** Ends it. */
  async stop() {
    const ended = once(this.#process, 'exit');
    this.#process.ref();
    this.#process.kill();
    const [code] = await ended;
    assert.equal(code, 0, 'a server that is told to end does so cleanly');
  }

  /** What it answers to a POST of `body`. */
  async post(path, body) {
    const response = await fetch(`${this.url}${path}`, {
      method: 'POST', headers: {'content-type': 'application/json'}, body: JSON.stringify(body)
    });
    return {status: response.status, body: await response.json()};
  }

  /** What it answers to a GET. */
  async get(path) {
    const response = await fetch(`${this.url}${path}`);
    return {status: response.status, body: await response.json()};
  }
}
