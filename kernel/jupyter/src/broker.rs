//! `headwater broker`: the embedded broker on its own, for clients of any language.

use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;

use headwater_broker::{Flush, Server, ServerConfig, StorageDescription};

use crate::broker_access::AccessArgs;

/// Runs the embedded broker alone until Ctrl-C; its topics live in memory, or in a directory.
#[derive(Debug, clap::Args)]
pub struct BrokerArgs {
    /// The port to listen on; 0 lets the system choose one. Further nodes take the ports after it
    #[arg(long, default_value_t = 9092)]
    pub port: u16,
    /// How many nodes the cluster has, each on a port of its own
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=16))]
    pub nodes: u16,
    /// The rack of each node, for instance a,b,c: replicas are spread over racks
    #[arg(long, value_name = "RACKS", value_delimiter = ',')]
    pub racks: Vec<String>,
    /// How many bytes of records the broker keeps; when they are full, producing is refused and nothing is dropped
    #[arg(long, value_name = "BYTES")]
    pub max_bytes: Option<u64>,
    /// Where topics, groups and records are stored, to be there again at the next start
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// When stored data are forced to the disk: none (as the system sees fit), interval (every second) or batch (before each acknowledgement)
    #[arg(
        long,
        value_name = "POLICY",
        default_value = "interval",
        requires = "data"
    )]
    pub flush: Flush,
    #[command(flatten)]
    pub access: AccessArgs,
}

/// Runs the broker.
pub fn broker(args: &BrokerArgs) -> ExitCode {
    match serve(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(args: &BrokerArgs) -> Result<(), Box<dyn std::error::Error>> {
    if args.access.add_user()? {
        return Ok(());
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, args.port));
    let mut config = ServerConfig {
        listen,
        nodes: usize::from(args.nodes),
        racks: args.racks.clone(),
        ..ServerConfig::default()
    };
    if let Some(bytes) = args.max_bytes {
        config.max_bytes = bytes;
    }
    config.data_dir.clone_from(&args.data);
    config.flush = args.flush;
    args.access.apply(&mut config)?;
    let settings = args.access.client_settings(&config);
    let server = Server::start(config)?;
    let bootstrap = server.bootstrap();
    let storage = server.describe().storage;
    runtime.block_on(async {
        let mut stop = std::pin::pin!(crate::serve::asked_to_stop());
        // Polled once before anything is said: who reads the address may press Ctrl-C at once.
        tokio::select! {
            biased;
            asked = &mut stop => return asked,
            () = std::future::ready(()) => greet(&bootstrap, storage.as_deref(), &settings),
        }
        stop.await
    })?;
    server.close()?;
    let last = match args.data {
        Some(_) => "stopped; all is stored",
        None => "stopped",
    };
    // Whoever read the address may be gone by now, as in `headwater broker | head -1`.
    let _ = writeln!(std::io::stdout(), "{last}");
    Ok(())
}

fn greet(bootstrap: &str, storage: Option<&StorageDescription>, settings: &[String]) {
    println!("broker at {bootstrap}, until Ctrl-C");
    if let Some(storage) = storage {
        println!("  data in:      {}, flush {}", storage.dir, storage.flush);
        println!("  read back:    {}", storage.recovery);
    }
    println!("  in a cell:    let cluster = Cluster::connect(\"{bootstrap}\")?;");
    println!("  or before:    export HEADWATER_BOOTSTRAP={bootstrap}, for Cluster::open()");
    match settings {
        [] => println!("  other tools:  kcat -b {bootstrap} -L"),
        settings => println!("  clients set:  {}", settings.join(", ")),
    }
}
