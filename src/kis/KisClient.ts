import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"

/** The longest reply that was captured has 90 KB, the largest zip of master data 119 KB. */
export const reply_bytes_max = 8 * 1_048_576

/** The client of every call to the broker: connections are kept for a while, and a reply without an end is not waited for. */
export const layer = NodeHttpClient.layerUndiciOptions({
  keepAliveTimeout: 4_000,
  connect: { timeout: 5_000 },
  maxResponseSize: reply_bytes_max
})
