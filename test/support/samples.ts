import { readFileSync } from "node:fs"

const text = (name: string): string => readFileSync(new URL(`../fixtures/kis/${name}`, import.meta.url), "utf8")

/** A captured sample of `test/fixtures/kis` as it is. */
export const sampleText = (name: string): string => text(name).trim()

/** A captured sample of `test/fixtures/kis`, one JSON object a line. */
export const sampleLines = <A>(name: string): ReadonlyArray<A> =>
  text(name)
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as A)

/** A captured sample of `test/fixtures/kis`, one JSON value. */
export const sampleJson = <A>(name: string): A => JSON.parse(text(name)) as A

export interface CapturedFrame {
  readonly id: string
  readonly tr: string
  readonly count: number
  readonly columns: number
  readonly note: string
  readonly frame: string
}

export const capturedFrames: ReadonlyArray<CapturedFrame> = sampleLines("ws-frames.jsonl")

export const capturedFrame = (id: string): string => {
  const found = capturedFrames.find((each) => each.id === id)
  if (found === undefined) throw new Error(`no captured frame ${id}`)
  return found.frame
}
