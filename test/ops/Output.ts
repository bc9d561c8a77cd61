import { Writable } from "node:stream"

/** A standard output that remembers; `plain` is what stays of it without escape sequences. */
export const makeOutput = (options: { readonly isTTY: boolean; readonly columns?: number }) => {
  let text = ""
  const stream = new Writable({
    write: (chunk: Buffer, _, callback) => {
      text += chunk.toString("utf8")
      callback()
    }
  })
  const output = Object.assign(stream, { isTTY: options.isTTY, columns: options.columns ?? 100, rows: 40 })
  return {
    output,
    text: () => text,
    plain: () => text.replace(/\u001b\[[0-9;?]*[A-Za-z]/g, "")
  }
}
