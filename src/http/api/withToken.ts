/** What of a description in OpenAPI says who may ask. */
interface Described {
  readonly paths?: Readonly<Record<string, Readonly<Record<string, object>>>>
  readonly components?: object
}

/** A server that listens on loopback alone may be asked without a token. */
const security = [{ token: [] }, {}]

/** Says of every operation that it takes the token as a bearer; asking for it is `Guarded.ts`'s, for all paths alike. */
export const withToken = (description: Described): Record<string, unknown> => ({
  ...description,
  paths: Object.fromEntries(
    Object.entries(description.paths ?? {}).map(([path, operations]) => [
      path,
      Object.fromEntries(Object.entries(operations).map(([method, operation]) => [method, { ...operation, security }]))
    ])
  ),
  components: { ...description.components, securitySchemes: { token: { type: "http", scheme: "bearer" } } }
})
