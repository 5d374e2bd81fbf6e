/** The Date header field: RFC 1123 dates in GMT (RFC 3261 20.17). */

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

const TIME = '([0-9]{2}):([0-9]{2}):([0-9]{2})';
const DATE = new RegExp(`^(${DAYS.join('|')}), ([0-9]{2}) ([A-Z][a-z]{2}) ([0-9]{4}) ${TIME} GMT$`);

/** ms since the epoch; undefined when malformed. The name of the day is not compared. */
export function parseSipDate(value: string): number | undefined {
  const match = DATE.exec(value.trim());
  if (!match) return undefined;
  const [, , day, monthName, year, hour, minute, second] = match;
  const month = MONTHS.indexOf(monthName!);
  const [h, m, s] = [Number(hour), Number(minute), Number(second)];
  if (month < 0 || h > 23 || m > 59 || s > 60) return undefined;
  const at = Date.UTC(Number(year), month, Number(day), h, m, s);
  // Date.UTC rolls the 31st of June over into July, and years below 100 into 19xx.
  const date = new Date(Date.UTC(Number(year), month, Number(day)));
  const isReal = date.getUTCMonth() === month && date.getUTCFullYear() === Number(year);
  return isReal && Number(day) > 0 ? at : undefined;
}

export function formatSipDate(at: number): string {
  const date = new Date(at);
  const day = `${DAYS[date.getUTCDay()]!}, ${two(date.getUTCDate())}`;
  const month = MONTHS[date.getUTCMonth()]!;
  const time = [date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()].map(two).join(':');
  return `${day} ${month} ${String(date.getUTCFullYear()).padStart(4, '0')} ${time} GMT`;
}

function two(number: number): string {
  return String(number).padStart(2, '0');
}
