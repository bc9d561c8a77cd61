// A program with an error that nobody waits for; its farewell takes a turn of the loop.
import { setImmediate as turn } from "node:timers/promises"
import { hearUncaught, sayBefore } from "../../src/ProgramEnd.ts"

hearUncaught()
hearUncaught()
sayBefore(async (reason) => {
  await turn()
  process.stdout.write(`farewell: ${reason}\n`)
})
void turn().then(() => {
  process.nextTick(() => {
    throw new Error("nobody waits for this")
  })
})
