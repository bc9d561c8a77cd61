/** A map by text that forgets its oldest entry rather than grow past `capacity`: clients choose the keys. */
export const boundedMap = <A>(capacity: number) => {
  const entries = new Map<string, A>()
  const set = (key: string, value: A): void => {
    entries.delete(key)
    entries.set(key, value)
    if (entries.size <= capacity) return
    const [oldest] = entries.keys()
    if (oldest !== undefined) entries.delete(oldest)
  }
  return {
    get: (key: string): A | undefined => entries.get(key),
    has: (key: string): boolean => entries.has(key),
    set,
    delete: (key: string): void => void entries.delete(key),
    getOr: (key: string, make: () => A): A => {
      const present = entries.get(key)
      if (present !== undefined) return present
      const made = make()
      set(key, made)
      return made
    }
  }
}
