//! Messages that are no messages: each is passed over, and the next one is answered.

use std::io::{Read, Write};
use std::net::TcpStream;

use headwater_kernel::run::client::Channel;
use jupyter_protocol::{JupyterMessage, KernelInfoRequest};
use jupyter_zmq_client::{create_client_shell_connection_with_identity, peer_identity_for_session};
use serde_json::json;

use crate::front_end::{FrontEnd, reply_to};

fn assert_answers(front_end: &mut FrontEnd) {
    let id = front_end.ask(Channel::Shell, "kernel_info_request", json!({}));
    let all = front_end.finish(&id);
    assert_eq!(reply_to(&all, &id).unwrap()["status"], "ok");
}

#[test]
fn wrongly_signed_request_is_ignored() {
    let mut front_end = FrontEnd::start();
    let mut info = front_end.kernel().connection().clone();
    info.key = "not the key".to_owned();
    front_end.runtime().block_on(async {
        let identity = peer_identity_for_session("stranger").unwrap();
        let shell = create_client_shell_connection_with_identity(&info, "stranger", identity);
        let mut shell = shell.await.unwrap();
        for _ in 0..3 {
            shell
                .send(JupyterMessage::new(KernelInfoRequest {}, None))
                .await
                .unwrap();
        }
    });
    assert_answers(&mut front_end);
    assert_eq!(front_end.value("1 + 1"), "2");
}

#[test]
fn request_with_the_wrong_content_is_told_so() {
    let mut front_end = FrontEnd::start();
    let wrong = [
        (Channel::Shell, "execute_request", json!({"code": 5})),
        (Channel::Shell, "execute_request", json!({})),
        (
            Channel::Shell,
            "complete_request",
            json!({"code": ["no", "text"]}),
        ),
        (
            Channel::Shell,
            "inspect_request",
            json!({"code": "a", "cursor_pos": -1}),
        ),
        (Channel::Shell, "is_complete_request", json!({})),
        (
            Channel::Shell,
            "history_request",
            json!({"hist_access_type": "all"}),
        ),
        (
            Channel::Shell,
            "comm_info_request",
            json!({"target_name": 1}),
        ),
        (
            Channel::Control,
            "shutdown_request",
            json!({"restart": "perhaps"}),
        ),
    ];
    for (channel, message_type, content) in wrong {
        let id = front_end.ask(channel, message_type, content.clone());
        let all = front_end.finish(&id);
        let reply_type = message_type.replace("_request", "_reply");
        let reply = all.iter().find(|heard| heard.is_reply(&id, &reply_type));
        let reply = &reply
            .unwrap_or_else(|| panic!("{message_type} {content}"))
            .content;
        assert_eq!(reply["status"], "error", "{message_type} {content}");
        assert_eq!(reply["ename"], "MalformedRequest");
        assert!(reply["traceback"].is_array());
    }
    assert_eq!(front_end.value("1 + 1"), "2");
}

#[test]
fn comm_message_with_the_wrong_content_is_ignored() {
    let mut front_end = FrontEnd::start();
    front_end.ask(Channel::Shell, "comm_open", json!({"comm_id": "c"}));
    front_end.ask(Channel::Shell, "comm_msg", json!({"data": {}}));
    front_end.ask(
        Channel::Stdin,
        "input_reply",
        json!({"value": "for nobody"}),
    );
    front_end.ask(Channel::Stdin, "input_reply", json!({"value": []}));
    assert_answers(&mut front_end);
}

#[test]
fn bytes_that_are_not_zeromq_are_ignored() {
    let mut front_end = FrontEnd::start();
    let info = front_end.kernel().connection().clone();
    for port in [
        info.shell_port,
        info.control_port,
        info.iopub_port,
        info.stdin_port,
        info.hb_port,
    ] {
        let mut socket = TcpStream::connect((info.ip.as_str(), port)).unwrap();
        socket
            .write_all(b"GET / HTTP/1.1\r\nHost: kernel\r\n\r\n")
            .unwrap();
        socket.write_all(&[0xff; 300]).unwrap();
    }
    assert_answers(&mut front_end);
    assert_eq!(front_end.value("1 + 1"), "2");
}

#[test]
fn multipart_without_delimiter_or_signature_is_ignored() {
    let mut front_end = FrontEnd::start();
    let info = front_end.kernel().connection().clone();
    for port in [info.shell_port, info.control_port] {
        let mut dealer = greet((info.ip.as_str(), port), "DEALER");
        for parts in [
            &[&b""[..]][..],
            &[b"no delimiter", b"{}"],
            &[b"<IDS|MSG>"],
            &[b"<IDS|MSG>", b"not hexadecimal", b"{}", b"{}", b"{}", b"{}"],
            &[b"<IDS|MSG>", b"00", b"{}"],
            &[b"\xff\xfe", b"<IDS|MSG>", b"", b"\xff", b"", b"", b""],
        ] {
            send_parts(&mut dealer, parts);
        }
        dealer.flush().unwrap();
    }
    assert_answers(&mut front_end);
    assert_eq!(front_end.value("1 + 1"), "2");
}

/// Opens a connection of the ZeroMQ protocol by hand: <https://rfc.zeromq.org/spec/23/>.
pub fn greet(address: (&str, u16), socket_type: &str) -> TcpStream {
    let mut socket = TcpStream::connect(address).unwrap();
    let mut greeting = [0; 64];
    (greeting[0], greeting[9], greeting[10]) = (0xff, 0x7f, 3);
    greeting[12..16].copy_from_slice(b"NULL");
    socket.write_all(&greeting).unwrap();
    socket.read_exact(&mut [0; 64]).unwrap();
    let mut ready = b"\x05READY\x0bSocket-Type".to_vec();
    ready.extend(u32::try_from(socket_type.len()).unwrap().to_be_bytes());
    ready.extend(socket_type.as_bytes());
    socket
        .write_all(&[4, u8::try_from(ready.len()).unwrap()])
        .unwrap();
    socket.write_all(&ready).unwrap();
    let mut head = [0; 2];
    socket.read_exact(&mut head).unwrap();
    socket
        .read_exact(&mut vec![0; usize::from(head[1])])
        .unwrap();
    socket
}

pub fn send_parts(socket: &mut TcpStream, parts: &[&[u8]]) {
    for (number, part) in (1..).zip(parts) {
        let more = u8::from(number < parts.len());
        socket
            .write_all(&[more, u8::try_from(part.len()).unwrap()])
            .unwrap();
        socket.write_all(part).unwrap();
    }
}
