"""Which use case serves which command: the one table both doors go through."""

from __future__ import annotations

from trunkline.app import agents, contacts, persons, records, rescue, third_party
from trunkline.app.callbacks import deciding as callbacks
from trunkline.app.groups import control, schedules
from trunkline.app.hand_out import buffers, desk_watch, preview, validated
from trunkline.app.hand_out.validation import SettleValidation
from trunkline.app.imports import chunks as import_chunks
from trunkline.app.lists import portions as list_portions
from trunkline.app.lists import work as list_work
from trunkline.app.suppression import emptying as suppression_emptying
from trunkline.app.suppression import entries as suppression_work
from trunkline.app.writer import Handler
from trunkline.domain import commands
from trunkline.domain.third_party import ThirdPartyRequest

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
    callbacks.ServeCallbacks: callbacks.serve_callbacks,
    callbacks.ReassignCallback: callbacks.reassign_callback,
    rescue.ExpireLeases: rescue.expire_leases,
    rescue.ReportFailure: rescue.report_failure,
    rescue.ResetStale: rescue.reset_stale,
    buffers.ReturnBuffer: buffers.return_buffer,
    control.ControlGroup: control.control_group,
    control.AdvanceGroup: control.advance_group,
    control.TellAgents: control.tell_agents,
    schedules.NoteRuns: schedules.note_runs,
    desk_watch.WithdrawSuppressed: desk_watch.withdraw_suppressed,
    list_work.Recycle: list_portions.recycle,
    list_work.UndoRecycling: list_portions.undo_recycling,
    list_work.MoveChains: list_portions.move_chains,
    list_work.RemoveRecords: list_portions.remove_records,
    suppression_work.AddEntries: suppression_work.add_entries,
    suppression_work.RemoveEntries: suppression_work.remove_entries,
    suppression_emptying.EmptyEntries: suppression_emptying.empty_entries,
    import_chunks.ImportMark: import_chunks.mark_import,
    persons.EraseRecords: persons.erase_records,
    persons.NoteExport: persons.note_export,
    ThirdPartyRequest: third_party.third_party_request,
    SettleValidation: validated.settle_validation,
}
