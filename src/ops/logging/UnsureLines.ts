/** Lines take at most so much memory; more are lost, and counted. */
const waiting_bytes_max = 4 * 1024 * 1024

/**
 * Lines that may not be where the file's name leads: handed over to a stream that has not answered yet, or written to a
 * file that somebody may just have removed. They are let go of once the file was looked at, and handed over again where it
 * was found to be another.
 */
export class UnsureLines {
  private lines: Array<{ readonly text: string; readonly bytes: number }> = []
  private bytes = 0
  private confirmed = 0
  private confirmed_bytes = 0
  private lost = 0

  get lostLines(): number {
    return this.lost
  }

  get isEmpty(): boolean {
    return this.lines.length === 0
  }

  /** How many of the oldest lines the stream has said it wrote, and their bytes; and the bytes of all. */
  get written(): { readonly lines: number; readonly bytes: number; readonly all_bytes: number } {
    return { lines: this.confirmed, bytes: this.confirmed_bytes, all_bytes: this.bytes }
  }

  /** Takes a line in; `false` when there is no room for it. */
  add(text: string): boolean {
    const bytes = Buffer.byteLength(text)
    if (this.bytes + bytes > waiting_bytes_max) {
      this.lost += 1
      return false
    }
    this.lines.push({ text, bytes })
    this.bytes += bytes
    return true
  }

  /** The stream has written the next of them. */
  wrote(): void {
    this.confirmed_bytes += this.lines[this.confirmed]?.bytes ?? 0
    this.confirmed += 1
  }

  /** Lets go of what was written by then: it is where it should be. */
  settle({ bytes, lines }: UnsureLines["written"]): void {
    this.lines = this.lines.slice(lines)
    this.bytes -= bytes
    this.confirmed -= lines
    this.confirmed_bytes -= bytes
  }

  /** All of them, to be written again from the first. */
  again(): ReadonlyArray<string> {
    this.confirmed = 0
    this.confirmed_bytes = 0
    return this.lines.map(({ text }) => text)
  }
}
