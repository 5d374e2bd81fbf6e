/** Dates as they are written on the wire, from milliseconds since the epoch. */

const dayNames = ['Thu', 'Fri', 'Sat', 'Sun', 'Mon', 'Tue', 'Wed'];
const monthNames = [
  ...['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun'],
  ...['Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'],
];

/** RFC 3339, in whole seconds: `2026-11-20T09:00:00Z`. */
export function formatDateTime(at: number): string {
  const { year, month, day, time } = fieldsOf(at);
  return `${year}-${two(month)}-${two(day)}T${time}Z`;
}

/** RFC 5322, as the parameters of RFC 2183 take it: `Fri, 20 Nov 2026 09:00:01 +0000`. */
export function formatMailDate(at: number): string {
  const { year, month, day, weekday, time } = fieldsOf(at);
  return `${weekday}, ${two(day)} ${monthNames[month - 1]!} ${year} ${time} +0000`;
}

interface DateFields {
  readonly year: string;
  readonly month: number;
  readonly day: number;
  readonly weekday: string;
  /** `09:00:01` */
  readonly time: string;
}

/** The Gregorian calendar by arithmetic, for this folder knows no clock; years 0 to 9999. */
function fieldsOf(at: number): DateFields {
  const seconds = Math.floor(at / 1000);
  const days = Math.floor(seconds / 86400);
  const second = seconds - days * 86400;
  // Days since 0000-03-01: the leap day is the last of its year, eras have 400 years.
  const shifted = days + 719468;
  const era = Math.floor(shifted / 146097);
  const dayOfEra = shifted - era * 146097;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36524) -
      Math.floor(dayOfEra / 146096)) /
      365,
  );
  const dayOfYear =
    dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  const minute = Math.floor(second / 60);
  return {
    year: String(year).padStart(4, '0'),
    month,
    day: dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1,
    weekday: dayNames[((days % 7) + 7) % 7]!,
    time: `${two(Math.floor(minute / 60))}:${two(minute % 60)}:${two(second % 60)}`,
  };
}

function two(number: number): string {
  return String(number).padStart(2, '0');
}
