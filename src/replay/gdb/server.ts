/**
 * Waits for gdb on a socket and keeps the conversation: acknowledgements, the order of answers, limits. One gdb at a time; what it leaves behind, the next
 * one finds. Who connects may be anybody: what does not speak the protocol is hung up on.
 */
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { UserError } from '../../machine/index.ts';
import type { Debuggee } from './debuggee.ts';
import { framed, PacketReader, ProtocolError, type Received } from './packets.ts';
import { Session } from './session.ts';

export interface GdbServerOptions {
  /** Where to listen: a port of 127.0.0.1 (0: any that is free), or a socket's path. */
  readonly at: number | string;
  /** Told where gdb is gone; another may come. */
  readonly onEnd?: () => void;
  /** Told of an error that is nobody's fault but ours; without it, it is thrown where nobody catches it. */
  readonly onBug?: (error: unknown) => void;
}

/** A new connection must speak, and a packet must be whole, within this time. */
const PATIENCE_MS = 10_000;
/** Requests that wait while one is worked on: gdb itself never has more than one. */
const MOST_WAITING = 16;
/** Answers that the other side does not fetch. */
const MOST_UNSENT_BYTES = 4 << 20;

export class GdbServer {
  readonly #server: Server;
  readonly #options: GdbServerOptions;
  #connection: Connection | null = null;

  private constructor(debuggee: Debuggee, options: GdbServerOptions) {
    this.#options = options;
    this.#server = createServer({ noDelay: true }, (socket) => this.#connect(socket, debuggee));
  }

  /** Listens from then on. Throws UserError where the port is taken. */
  static async open(debuggee: Debuggee, options: GdbServerOptions): Promise<GdbServer> {
    const gdb = new GdbServer(debuggee, options);
    await new Promise<void>((resolve, reject) => {
      const { at } = options;
      gdb.#server.once('error', (error: NodeJS.ErrnoException) =>
        reject(
          typeof at === 'number' && error.syscall === 'listen'
            ? new UserError(error.code === 'EADDRINUSE' ? `port ${at} is taken; give another with --port` : `port ${at}: ${error.message}`)
            : error,
        ),
      );
      if (typeof at === 'string') gdb.#server.listen(at, resolve);
      else gdb.#server.listen(at, '127.0.0.1', resolve);
    });
    return gdb;
  }

  /** The port that it listens at. */
  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    this.#connection?.end();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #connect(socket: Socket, debuggee: Debuggee): void {
    if (this.#connection !== null) {
      socket.destroy();
      return;
    }
    const connection = new Connection(socket, debuggee, this.#options.onBug);
    this.#connection = connection;
    socket.on('close', () => {
      debuggee.interrupt();
      void connection.idle.then(() => {
        debuggee.forgetPoints();
        this.#connection = null;
        this.#options.onEnd?.();
      });
    });
  }
}

class Connection {
  readonly #socket: Socket;
  readonly #debuggee: Debuggee;
  readonly #session: Session;
  readonly #reader = new PacketReader();
  readonly #waiting: string[] = [];
  readonly #onBug: ((error: unknown) => void) | undefined;
  /** Settled where nothing is worked on. */
  idle: Promise<void> = Promise.resolve();
  #isWorking = false;
  #isEnding = false;
  #last: Buffer = Buffer.alloc(0);
  #impatience: NodeJS.Timeout | null = null;

  constructor(socket: Socket, debuggee: Debuggee, onBug: ((error: unknown) => void) | undefined) {
    this.#socket = socket;
    this.#debuggee = debuggee;
    this.#onBug = onBug;
    this.#session = new Session(debuggee, {
      send: (data) => this.#write(framed(data)),
      end: () => {
        this.#isEnding = true;
      },
    });
    socket.on('data', (bytes: Buffer) => this.#take(bytes));
    // A connection that breaks is a gdb that is gone: 'close' follows.
    socket.on('error', () => socket.destroy());
    this.#wait();
  }

  end(): void {
    this.#waiting.length = 0;
    this.#socket.destroy();
  }

  #take(bytes: Uint8Array): void {
    if (this.#impatience !== null) clearTimeout(this.#impatience);
    try {
      for (const received of this.#reader.read(bytes)) this.#receive(received);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.end();
      return;
    }
    if (this.#reader.isInside) this.#wait();
  }

  #wait(): void {
    this.#impatience = setTimeout(() => this.end(), PATIENCE_MS);
    this.#impatience.unref();
  }

  #receive(received: Received): void {
    switch (received.kind) {
      case 'packet':
        if (!this.#session.isTrusting) this.#write(Buffer.from('+'));
        if (this.#waiting.length >= MOST_WAITING) throw new ProtocolError('requests come faster than they are answered');
        this.#waiting.push(received.data);
        if (!this.#isWorking) this.idle = this.#work();
        return;
      case 'interrupt':
        this.#debuggee.interrupt();
        return;
      case 'refused':
        this.#write(this.#last);
        return;
      case 'damaged':
        if (this.#session.isTrusting) throw new ProtocolError('a wrong checksum');
        this.#write(Buffer.from('-'));
        return;
      case 'acknowledged':
        return;
    }
  }

  /** Answers what waits, one after the other. */
  async #work(): Promise<void> {
    this.#isWorking = true;
    try {
      for (let data = this.#waiting.shift(); data !== undefined; data = this.#waiting.shift()) {
        const answer = await this.#session.answer(data);
        if (answer !== null) this.#answer(answer);
        if (this.#isEnding) {
          this.#socket.end();
          return;
        }
      }
    } catch (error) {
      this.end();
      if (this.#onBug === undefined) throw error;
      this.#onBug(error);
    } finally {
      this.#isWorking = false;
    }
  }

  #answer(data: string): void {
    this.#last = framed(data);
    this.#write(this.#last);
  }

  #write(bytes: Buffer): void {
    if (this.#socket.destroyed || !this.#socket.writable) return;
    this.#socket.write(bytes);
    if (this.#socket.writableLength > MOST_UNSENT_BYTES) this.end();
  }
}
