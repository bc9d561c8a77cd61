// Sets how many threads file calls and name look-ups share, before any is begun: a data disk that hangs keeps a few of them
// for itself. It is no module of the new kind, for Node loads those by such threads, and their number is then settled.
process.env.UV_THREADPOOL_SIZE ??= "16"
import("./start.mjs")
