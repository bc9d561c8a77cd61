import type { Certificate } from "./Certificate.ts"
export const renderPage = ({ day }: Certificate): string => day
