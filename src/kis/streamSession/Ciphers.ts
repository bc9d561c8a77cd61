import { Result } from "effect"
import { decodeFrame } from "../Frame.ts"
import { type FrameCipher, open } from "../FrameCipher.ts"
import type { StreamMessage } from "../StreamSocket.ts"
import type { Registration } from "./Registrations.ts"

/**
 * The pairs that came with the acceptances of one connection. An encrypted frame names its stream and hides its symbol, so
 * the pairs of the stream are tried, the newest first; they are nearly always the same one.
 */
export class Ciphers {
  /** By stream, then by symbol. */
  private readonly pairs = new Map<string, Map<string, FrameCipher>>()

  accepted({ trId, trKey }: Registration, cipher: FrameCipher): void {
    const ofStream = this.pairs.get(trId) ?? new Map<string, FrameCipher>()
    ofStream.delete(trKey)
    ofStream.set(trKey, cipher)
    this.pairs.set(trId, ofStream)
  }

  released({ trId, trKey }: Registration): void {
    this.pairs.get(trId)?.delete(trKey)
  }

  /** The frames as plain ones; as they came where they are, or where no pair fits, for whoever reads them to refuse. */
  opened(frames: ReadonlyArray<StreamMessage>): ReadonlyArray<StreamMessage> {
    return frames.some(isSealed) ? frames.map((frame) => (isSealed(frame) ? this.openOne(frame) : frame)) : frames
  }

  private openOne(message: StreamMessage): StreamMessage {
    const frame = decodeFrame(message.text)
    if (frame._tag !== "Encrypted") return message
    for (const cipher of [...(this.pairs.get(frame.trId)?.values() ?? [])].reverse()) {
      const plain = open(frame, cipher)
      if (Result.isSuccess(plain)) return { ...message, text: plain.success }
    }
    return message
  }
}

const isSealed = ({ text }: StreamMessage): boolean => text.startsWith("1|")
