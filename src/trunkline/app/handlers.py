"""Which use case serves which command: the one table both doors go through."""

from __future__ import annotations

from trunkline.app import agents, buffers, contacts, import_chunks, preview, records, rescue
from trunkline.app.writer import Handler
from trunkline.domain import commands

HANDLERS: dict[type, Handler] = {
    commands.UpdateRecord: records.update_record,
    commands.CompleteRecord: records.complete_record,
    commands.RejectRecord: records.reject_record,
    commands.RescheduleRecord: records.reschedule_record,
    commands.ReadChain: records.read_chain,
    commands.SuppressContact: contacts.suppress_contact,
    commands.CancelRecord: contacts.cancel_record,
    commands.AddRecord: contacts.add_record,
    commands.StartPreview: preview.start_preview,
    commands.EndPreview: preview.end_preview,
    commands.NextPreview: preview.next_preview,
    commands.LogOut: agents.log_out,
    commands.ReadyTime: agents.ready_time,
    commands.ContinueProcessing: agents.continue_processing,
    commands.ReadCampaigns: agents.read_campaigns,
    commands.StartSession: agents.start_session,
    commands.EndSession: agents.end_session,
    commands.ChangeState: agents.change_state,
    rescue.ExpireLeases: rescue.expire_leases,
    rescue.ReportFailure: rescue.report_failure,
    rescue.ResetStale: rescue.reset_stale,
    buffers.ReturnBuffer: buffers.return_buffer,
    import_chunks.ImportChunk: import_chunks.import_chunk,
}
