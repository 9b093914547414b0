// The program under test, as a person uses it: each home is a folder of its own, everything goes through the command line.
import assert from 'node:assert/strict';
import {spawn, spawnSync} from 'node:child_process';
import {once} from 'node:events';
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {connect} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {createInterface} from 'node:readline';

const PROGRAM = process.env.KNACK;
const TIMEOUT_MS = 30_000;

/** Exit code of `knack verify` and `knack import` for what is not verified. */
export const NOT_VERIFIED = 3;

export class Home {
  #folder = mkdtempSync(join(tmpdir(), 'knack-interop-'));
  #files = 0;

  /** A new home, with keys of its own. */
  constructor() {
    assert.ok(PROGRAM, 'KNACK names the program; tests/interop/run sets it');
    /** The DID that signs what this home issues, and that credentials about its owner name. */
    this.did = this.succeed('init').did;
  }

  /** Runs a command: its exit code, what it printed as JSON, and its talk on stderr. */
  run(...args) {
    const {status, stdout, stderr, error} = spawnSync(
      PROGRAM, ['--home', join(this.#folder, 'home'), '--json', ...args],
      {encoding: 'utf8', timeout: TIMEOUT_MS});
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

  /** A credential about `subject`, signed here. */
  issue(subject, ...args) {
    return this.succeed('issue', '--to', subject, ...args);
  }

  /** `knack verify` of a JSON text, or of a value written as JSON. */
  verify(credential) {
    return this.run('verify', this.#file(credential));
  }

  /** `knack import` of a JSON text, or of a value written as JSON. */
  import(credential) {
    return this.run('import', this.#file(credential));
  }

  /** Starts `knack serve vc-api` on a port of the system's choice. `stop` ends it. */
  async serve(...args) {
    const child = spawn(
      PROGRAM,
      ['--home', join(this.#folder, 'home'), '--json', 'serve', 'vc-api', '--listen', '127.0.0.1:0', ...args],
      {stdio: ['ignore', 'pipe', 'inherit']});
    const {value} = await createInterface({input: child.stdout})[Symbol.asyncIterator]().next();
    const {url, did} = JSON.parse(value);
    const stop = async () => {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      const [code] = await ended;
      assert.equal(code, 0, 'a server that is told to end does so cleanly');
    };
    return {url, did, stop};
  }

  /** Asks the home's node through its socket, as commands do. */
  async ask(request) {
    const socket = connect(join(this.#folder, 'home', 'control.sock'));
    socket.write(`${JSON.stringify(request)}\n`);
    const {value} = await createInterface({input: socket})[Symbol.asyncIterator]().next();
    socket.destroy();
    return JSON.parse(value);
  }

  remove() {
    rmSync(this.#folder, {recursive: true, force: true});
  }

  #file(credential) {
    const file = join(this.#folder, `${this.#files++}.json`);
    writeFileSync(file, typeof credential === 'string' ? credential : JSON.stringify(credential));
    return file;
  }
}
