//! The order in which Go's YAML writer puts the keys of a map: numbers inside
//! keys count as numbers, and letters come after everything else. It is not a
//! total order for every set of keys, so it is sorted here, where that cannot
//! hurt, and not by the standard library, which may panic.

/// The keys in the order they are written.
pub(super) fn sorted(keys: Vec<&str>) -> Vec<&str> {
    if keys.len() < 2 {
        return keys;
    }
    let mut left = keys;
    let right = left.split_off(left.len() / 2);
    let mut out = Vec::with_capacity(left.len() + right.len());
    let (mut left, mut right) = (sorted(left).into_iter().peekable(), sorted(right).into_iter().peekable());
    while let (Some(first), Some(second)) = (left.peek(), right.peek()) {
        out.extend(if is_less(second, first) { right.next() } else { left.next() });
    }
    out.extend(left.chain(right));
    out
}

fn is_less(left: &str, right: &str) -> bool {
    let (left, right): (Vec<char>, Vec<char>) = (left.chars().collect(), right.chars().collect());
    let Some(index) = (0..left.len().min(right.len())).find(|index| left[*index] != right[*index]) else {
        return left.len() < right.len();
    };
    let (first, second) = (left[index], right[index]);
    match (first.is_alphabetic(), second.is_alphabetic()) {
        (true, true) => return first < second,
        (false, false) => {}
        // After a digit letters come first: `a1b` before `a10`.
        (is_letter, _) => {
            let after_digit = index > 0 && left[index - 1].is_ascii_digit();
            return is_letter == after_digit;
        }
    }
    // Zeros differ in meaning with what stands before them: `10` and `1`, but `00` and `0`.
    let before = left[..index].iter().rev().take_while(|digit| digit.is_ascii_digit());
    let is_inside = (first == '0' || second == '0') && before.into_iter().any(|digit| *digit != '0');
    let number = |text: &[char]| {
        let digits = text[index..].iter().take_while(|digit| digit.is_ascii_digit());
        let start = u64::from(is_inside);
        digits.fold((start, 0), |(value, count), digit| {
            (value.wrapping_mul(10).wrapping_add(u64::from(digit.to_digit(10).unwrap_or(0))), count + 1)
        })
    };
    let ((left_number, left_digits), (right_number, right_digits)) = (number(&left), number(&right));
    (left_number, left_digits, first) < (right_number, right_digits, second)
}
