// `npm run build`: src/ and migrations/ into dist/.
import { orExit } from "./setup/orExit.mjs"

await orExit(async () => {
  const { ready } = await import("./setup/ready.mjs")
  await ready()
})
