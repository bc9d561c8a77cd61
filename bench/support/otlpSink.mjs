// An OTLP receiver that takes everything and keeps nothing; says its address, then ends with its standard input.
import { createServer } from "node:http"

const server = createServer((incoming, outgoing) => {
  incoming.resume()
  incoming.once("end", () => outgoing.writeHead(200, { "content-type": "application/x-protobuf" }).end())
})
server.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}`))
process.stdin.resume().once("end", () => process.exit())
