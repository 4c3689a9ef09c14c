//! PLAIN: `[authorization id] NUL user NUL password` in one message (RFC 4616).

use super::Refused;

/// Returns user and password.
///
/// # Errors
/// A message of another form, or one that asks to act as somebody else.
pub fn parse(message: &[u8]) -> Result<(&str, &[u8]), Refused> {
    let mut parts = message.split(|&byte| byte == 0);
    let (Some(identity), Some(user), Some(password), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(Refused::MALFORMED);
    };
    if user.is_empty() || password.is_empty() {
        return Err(Refused::MALFORMED);
    }
    if !identity.is_empty() && identity != user {
        return Err(Refused::OTHER_IDENTITY);
    }
    let user = std::str::from_utf8(user).map_err(|_| Refused::MALFORMED)?;
    Ok((user, password))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_and_password_are_found() {
        assert_eq!(parse(b"\0ada\0engine"), Ok(("ada", &b"engine"[..])));
        assert_eq!(parse(b"ada\0ada\0engine"), Ok(("ada", &b"engine"[..])));
    }

    #[test]
    fn acting_for_somebody_else_is_refused() {
        assert_eq!(parse(b"bob\0ada\0engine"), Err(Refused::OTHER_IDENTITY));
    }

    #[test]
    fn other_messages_are_refused() {
        let others: [&[u8]; 7] = [
            b"",
            b"ada",
            b"\0ada",
            b"\0\0engine",
            b"\0ada\0",
            b"\0ada\0en\0gine",
            b"\0\xff\0engine",
        ];
        for other in others {
            assert_eq!(parse(other), Err(Refused::MALFORMED), "{other:?}");
        }
    }
}
