// A program with an error that nobody waits for; its farewell takes a while.
import { hearUncaught, sayBefore } from "../../src/ProgramEnd.ts"

hearUncaught()
hearUncaught()
sayBefore(async (reason) => {
  await new Promise((resume) => setTimeout(resume, 20))
  process.stdout.write(`farewell: ${reason}\n`)
})
setTimeout(() => {
  throw new Error("nobody waits for this")
}, 1)
setInterval(() => undefined, 1_000)
