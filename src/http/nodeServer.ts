import { createServer, type IncomingMessage, type Server, ServerResponse } from "node:http"

/**
 * Node 20.19 compares a `content-length` that was given as text with the number of bytes and finds "3" unlike 3, when it
 * is asked to be strict, as the HTTP platform asks it; every answer with a body would then fail. The lengths that are
 * sent here are made of the bodies, so nothing is lost by not comparing them.
 */
class UnstrictResponse extends ServerResponse<IncomingMessage> {
  constructor(request: IncomingMessage) {
    super(request)
    Object.defineProperty(this, "strictContentLength", { get: () => false, set: () => {} })
  }
}

/** A plain HTTP server that behaves alike on every Node that is supported. */
export const makeNodeServer = (): Server => createServer({ ServerResponse: UnstrictResponse })
