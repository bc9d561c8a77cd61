// Behaves as its last flag says, where the real simulator would open a market.
const ready = JSON.stringify({
  ready: true,
  restUrl: "http://127.0.0.1:1",
  wsUrl: "ws://127.0.0.1:2",
  flags: process.argv.slice(2)
})
const untilStdinCloses = () => process.stdin.resume().on("end", () => process.exit(0))

const behaviours = {
  good: () => {
    console.log(ready)
    untilStdinCloses()
  },
  slow: () => {
    // The line in two parts, as a pipe may deliver it.
    process.stdout.write(ready.slice(0, 10), () => setImmediate(() => process.stdout.write(`${ready.slice(10)}\n`)))
    untilStdinCloses()
  },
  talkative: () => {
    console.log(ready)
    // More than a pipe holds, then an end that can be seen.
    process.stdout.write("x".repeat(4_000_000), () => process.exit(7))
  },
  bad: () => {
    console.log("Error: listen EADDRINUSE")
    untilStdinCloses()
  },
  wrongShape: () => {
    console.log(JSON.stringify({ ready: false }))
    untilStdinCloses()
  },
  exits: () => process.exit(3),
  silent: untilStdinCloses,
  stubborn: () => {
    console.log(ready)
    setInterval(() => undefined, 1_000)
  }
}
behaviours[process.argv.at(-1)]()
