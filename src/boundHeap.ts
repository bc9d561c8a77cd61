import { setFlagsFromString } from "node:v8"

/** How much larger than what is in use the heap of old objects may become before they are collected, in percent. */
const growing_percent = 20

/**
 * Has the engine collect old objects sooner, in all threads. Records live for a second or two, which is long enough to be
 * counted among the old, and left to itself the engine lets the heap grow to three times what is in use
 * (`node bench/footprint.mjs` measures it). The engine reads the flag at each collection, so it may be set while the program
 * runs; it cannot be in the command line, which is `node dist/main.js`.
 */
export const boundHeap = (): void => setFlagsFromString(`--heap-growing-percent=${growing_percent}`)
