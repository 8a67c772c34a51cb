export function strictComplaints(text: string): string[]
