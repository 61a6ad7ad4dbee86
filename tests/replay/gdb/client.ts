/** A gdb of a few lines: sends packets and waits for their answers, on a socket. */
import { connect, type Socket } from 'node:net';
import { framed, PacketReader } from '../../../src/replay/gdb/packets.ts';

export class Client {
  readonly socket: Socket;
  readonly #reader = new PacketReader();
  readonly #answers: string[] = [];
  #waiting: ((answer: string | null) => void) | null = null;
  isClosed = false;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (bytes: Buffer) => {
      for (const received of this.#reader.read(bytes)) if (received.kind === 'packet') this.#take(received.data);
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      this.isClosed = true;
      this.#waiting?.(null);
    });
  }

  static async open(path: string): Promise<Client> {
    const socket = connect(path);
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    return new Client(socket);
  }

  #take(data: string): void {
    // Console output answers nothing.
    if (data.startsWith('O') && data !== 'OK') return;
    const waiting = this.#waiting;
    this.#waiting = null;
    if (waiting === null) this.#answers.push(data);
    else waiting(data);
  }

  /** The answer to a packet; null: the other side has hung up. */
  async ask(data: string): Promise<string | null> {
    if (this.isClosed) return null;
    this.socket.write(framed(data));
    return await this.answer();
  }

  answer(): Promise<string | null> {
    const first = this.#answers.shift();
    if (first !== undefined) return Promise.resolve(first);
    if (this.isClosed) return Promise.resolve(null);
    return new Promise((resolve) => {
      this.#waiting = resolve;
    });
  }

  close(): void {
    this.socket.destroy();
  }
}
